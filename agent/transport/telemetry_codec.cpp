#include "agent/transport/telemetry_codec.hpp"

#include "agent/v1/agent.pb.h"

namespace synapsex::agent {

EncodedSample encode_sample(const telemetry::TelemetrySample& sample) {
    v1::TelemetrySample message;
    message.set_slot(sample.slot);
    message.set_load1_centi(sample.load1_centi);
    message.set_load5_centi(sample.load5_centi);
    message.set_load15_centi(sample.load15_centi);
    message.set_cpu_busy_permille(sample.cpu_busy_permille);
    message.set_cpu_iowait_permille(sample.cpu_iowait_permille);
    message.set_cpu_steal_permille(sample.cpu_steal_permille);
    message.set_memory_total_bytes(sample.memory_total_bytes);
    message.set_memory_available_bytes(sample.memory_available_bytes);
    message.set_swap_total_bytes(sample.swap_total_bytes);
    message.set_swap_used_bytes(sample.swap_used_bytes);
    message.set_disk_read_bytes_per_second(sample.disk_read_bytes_per_second);
    message.set_disk_write_bytes_per_second(sample.disk_write_bytes_per_second);
    message.set_network_receive_bytes_per_second(sample.network_receive_bytes_per_second);
    message.set_network_transmit_bytes_per_second(sample.network_transmit_bytes_per_second);
    message.set_filesystem_used_permille_max(sample.filesystem_used_permille_max);
    message.set_processes(sample.processes);
    message.set_uptime_seconds(sample.uptime_seconds);
    return {.slot = sample.slot, .bytes = message.SerializeAsString()};
}

std::optional<telemetry::TelemetrySample> decode_sample(std::string_view bytes) {
    v1::TelemetrySample message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
    return telemetry::TelemetrySample{
        .slot = message.slot(),
        .load1_centi = message.load1_centi(),
        .load5_centi = message.load5_centi(),
        .load15_centi = message.load15_centi(),
        .cpu_busy_permille = message.cpu_busy_permille(),
        .cpu_iowait_permille = message.cpu_iowait_permille(),
        .cpu_steal_permille = message.cpu_steal_permille(),
        .memory_total_bytes = message.memory_total_bytes(),
        .memory_available_bytes = message.memory_available_bytes(),
        .swap_total_bytes = message.swap_total_bytes(),
        .swap_used_bytes = message.swap_used_bytes(),
        .disk_read_bytes_per_second = message.disk_read_bytes_per_second(),
        .disk_write_bytes_per_second = message.disk_write_bytes_per_second(),
        .network_receive_bytes_per_second = message.network_receive_bytes_per_second(),
        .network_transmit_bytes_per_second = message.network_transmit_bytes_per_second(),
        .filesystem_used_permille_max = message.filesystem_used_permille_max(),
        .processes = message.processes(),
        .uptime_seconds = message.uptime_seconds()};
}

}  // namespace synapsex::agent

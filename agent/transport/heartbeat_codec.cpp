#include "agent/transport/heartbeat_codec.hpp"

#include <algorithm>

#include "agent/v1/agent.pb.h"

namespace synapsex::agent {

namespace {

// The server's numbers come from outside: an instant is kept within what arithmetic can bear.
Timestamp instant_of(std::int64_t micros) {
    constexpr std::int64_t kYear9999 = 253'402'300'799'000'000;
    return from_micros(std::clamp<std::int64_t>(micros, 0, kYear9999));
}

}  // namespace

std::string encode_heartbeat(const Heartbeat& heartbeat) {
    v1::HeartbeatRequest message;
    message.set_sequence(heartbeat.sequence);
    message.set_boot_id(heartbeat.boot_id);
    message.set_agent_version(heartbeat.agent_version);
    for (const auto capability : heartbeat.capabilities) message.add_capabilities(capability);
    message.set_hold_seconds(static_cast<std::uint32_t>(heartbeat.hold.count()));
    for (const auto& hash : heartbeat.hashes) {
        auto* section = message.add_hashes();
        section->set_section(hash.section);
        section->set_hash(hash.hash);
    }
    for (const auto& sample : heartbeat.telemetry)
        // A row that a damaged disk has changed is left out; the rest must still arrive.
        if (!message.add_telemetry()->ParseFromString(sample.bytes))
            message.mutable_telemetry()->RemoveLast();
    message.set_spool_dropped_samples(heartbeat.spool_dropped_samples);
    message.set_goodbye(heartbeat.goodbye);
    message.set_server_incarnation(heartbeat.server_incarnation);
    message.set_executor(heartbeat.executor);
    if (heartbeat.pause) {
        auto* pause = message.mutable_pause();
        pause->set_since_us(to_micros(heartbeat.pause->since));
        if (heartbeat.pause->until) pause->set_until_us(to_micros(*heartbeat.pause->until));
        pause->set_reason(heartbeat.pause->reason);
    }
    return message.SerializeAsString();
}

std::optional<HeartbeatAnswer> decode_heartbeat_answer(std::string_view bytes) {
    v1::HeartbeatAnswer message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
    HeartbeatAnswer answer{
        .server_time = instant_of(message.server_time_us()),
        .server_incarnation = message.server_incarnation(),
        .stored_through_slot = message.stored_through_slot(),
        .next_after = std::chrono::milliseconds{message.next_after_ms()},
        .hold_max = std::chrono::seconds{message.hold_seconds()},
        .live_until = instant_of(message.live_until_us()),
        .rotate_key = message.rotate_key(),
        .reason = message.reason(),
    };
    answer.want_sections.assign(message.want_sections().begin(), message.want_sections().end());
    return answer;
}

}  // namespace synapsex::agent

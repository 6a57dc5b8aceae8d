#include "controlplane/cli/vm_view.hpp"

#include "controlplane/cli/enum_words.hpp"
#include "controlplane/cli/fleet.hpp"
#include "controlplane/cli/units.hpp"

namespace synapsex::cli {

namespace {

using vm_registry::Inventory;
using vm_registry::TelemetryPoint;
using vm_registry::Vm;
using vm_registry::VmSummary;

// "a, b" of the parts that say something.
std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& part : parts) {
        if (part.empty()) continue;
        if (!text.empty()) text += ", ";
        text += part;
    }
    return text;
}

std::string counted(std::int64_t count, std::string_view one, std::string_view many) {
    if (count == 0) return {};
    return format_count(count) + ' ' + std::string{count == 1 ? one : many};
}

std::string cpu_text(const vm_registry::Cpu& cpu) {
    return joined(
        {cpu.model,
         counted(cpu.sockets, "socket", "sockets"),
         counted(cpu.cores, "core", "cores"),
         counted(cpu.threads, "thread", "threads"),
         cpu.mhz_max == 0 ? "" : format_number(static_cast<double>(cpu.mhz_max) / 1000, 1) + " GHz"}
    );
}

void add_load(Table& facts, const TelemetryPoint& point) {
    facts.add(
        {"Load",
         format_number(point.load1, 2) + "  " + format_number(point.load5, 2) + "  " +
             format_number(point.load15, 2)}
    );
    facts.add(
        {"CPU busy",
         joined(
             {format_percent(point.cpu_busy_percent),
              "waiting for disks " + format_percent(point.cpu_iowait_percent),
              "stolen " + format_percent(point.cpu_steal_percent)}
         )}
    );
    facts.add(
        {"Memory used",
         format_share(
             point.memory_total_bytes - point.memory_available_bytes, point.memory_total_bytes
         )}
    );
    if (point.swap_total_bytes > 0)
        facts.add({"Swap used", format_share(point.swap_used_bytes, point.swap_total_bytes)});
    facts.add(
        {"Disk traffic",
         "read " + format_rate(point.disk_read_bytes_per_second) + ", write " +
             format_rate(point.disk_write_bytes_per_second)}
    );
    facts.add(
        {"Network traffic",
         "in " + format_rate(point.network_receive_bytes_per_second) + ", out " +
             format_rate(point.network_transmit_bytes_per_second)}
    );
    facts.add(
        {"Fullest disk", format_percent(point.filesystem_used_percent_max) + ", as df counts"}
    );
    facts.add({"Processes", format_count(point.processes)});
    facts.add({"Up", format_duration(std::chrono::seconds{point.uptime_seconds})});
}

Table facts_of(const Vm& vm, const std::string& paused, Timestamp now) {
    const auto& reported = vm.reported;
    auto facts = Table::of_facts();
    facts.add({"Name", {vm.name, Style::bold}});
    facts.add({"State", state_cell(vm.state)});
    facts.add({"Seen", format_relative(vm.last_seen_at, now)});
    if (!paused.empty()) facts.add({"Paused", {paused, Style::warning}});
    facts.add({"Id", vm.id.text()});
    facts.add({"Agent", vm.agent_id.text()});
    facts.add({"OS", joined({vm.os, reported.os ? reported.os->virtualization.value : ""})});
    facts.add({"Kernel", joined({vm.kernel, vm.architecture})});
    facts.add(
        {"CPU",
         reported.cpu ? cpu_text(*reported.cpu) : counted(vm.cpu_threads, "thread", "threads")}
    );
    facts.add({"Memory", vm.memory_total_bytes == 0 ? "" : format_bytes(vm.memory_total_bytes)});
    facts.add({"Packages", format_count(vm.packages)});
    if (reported.os && !reported.os->timezone.value.empty())
        facts.add({"Time zone", reported.os->timezone.value});
    facts.add({"Enrolled", format_instant(vm.created_at)});
    if (vm.latest) {
        add_load(facts, *vm.latest);
        facts.add({"Sampled", format_relative(vm.latest->at, now)});
    }
    return facts;
}

Table disks_of(const Inventory& reported) {
    Table table{
        {{"DISK", Align::left, {.width_min = 12}},
         {"SIZE", Align::right},
         {"KIND", Align::left, {.leaves = 1}},
         {"MODEL", Align::left, {.width_min = 12, .leaves = 2}}}};
    for (const auto& disk : reported.disks)
        table.add(
            {{disk.name},
             {format_bytes(disk.size_bytes)},
             {disk.removable ? "removable" : disk.rotational ? "rotating" : "solid state"},
             {disk.model}}
        );
    return table;
}

// Without a share: of the size it would not be what df and telemetry call used, which is of what
// users may have, and that is not in the inventory.
Table filesystems_of(const Inventory& reported) {
    Table table{
        {{"MOUNTED ON", Align::left, {.width_min = 16}},
         {"TYPE", Align::left, {.leaves = 2}},
         {"USED", Align::right},
         {"SIZE", Align::right},
         {"DEVICE", Align::left, {.width_min = 12, .leaves = 1}},
         {""}}};
    for (const auto& filesystem : reported.filesystems)
        table.add(
            {{filesystem.mount_point},
             {filesystem.type},
             {format_bytes_roughly(filesystem.used_bytes)},
             {format_bytes(filesystem.size_bytes)},
             {filesystem.device},
             {filesystem.read_only ? "read only" : ""}}
        );
    return table;
}

Table network_of(const Inventory& reported) {
    Table table{
        {{"INTERFACE", Align::left, {.width_min = 12}},
         {"STATE"},
         {"ADDRESSES", Align::left, {.width_min = 20}},
         {"MAC", Align::left, {.leaves = 1}}}};
    for (const auto& interface : reported.network)
        table.add(
            {{interface.name},
             {interface.state},
             {joined({interface.addresses.begin(), interface.addresses.end()})},
             {interface.mac}}
        );
    return table;
}

}  // namespace

Table table_of_vms() {
    return Table{
        {{"NAME", Align::left, {.width_min = 16}},
         {"STATE"},
         {"SEEN", Align::left, {.leaves = 9}},
         {"OS", Align::left, {.width_min = 20, .leaves = 4}},
         {"CPUS", Align::right, {.leaves = 2}},
         {"MEMORY", Align::right, {.leaves = 3}},
         {"LOAD", Align::right, {.leaves = 5}},
         {"CPU", Align::right, {.leaves = 8}},
         {"MEM", Align::right, {.leaves = 7}},
         {"DISK", Align::right, {.leaves = 6}},
         {"ID", Align::left, {.leaves = 1}}}};  // commands take names too
}

std::vector<Cell> row_of(const VmSummary& vm, Timestamp now) {
    const auto latest = [&](auto format) { return vm.latest ? format(*vm.latest) : "-"; };
    return {
        {vm.name},
        state_cell(vm.state),
        {format_relative(vm.last_seen_at, now)},
        {vm.os},
        {vm.cpu_threads == 0 ? "-" : format_count(vm.cpu_threads)},
        {vm.memory_total_bytes == 0 ? "-" : format_bytes(vm.memory_total_bytes)},
        {latest([](const TelemetryPoint& p) { return format_number(p.load1, 2); })},
        {latest([](const TelemetryPoint& p) { return format_percent(p.cpu_busy_percent); })},
        {latest([](const TelemetryPoint& p) { return format_percent(memory_used_percent(p)); })},
        {latest([](const TelemetryPoint& p) {
            return format_percent(p.filesystem_used_percent_max);
        })},
        {vm.id.text(), Style::dim}};
}

Table table_of_telemetry() {
    return Table{
        {{"TIME"},
         {"LOAD", Align::right, {.leaves = 4}},
         {"CPU", Align::right},
         {"IOWAIT", Align::right, {.leaves = 3}},
         {"STEAL", Align::right, {.leaves = 1}},
         {"MEMORY", Align::right},
         {"DISK READ", Align::right, {.leaves = 6}},
         {"DISK WRITE", Align::right, {.leaves = 6}},
         {"NET IN", Align::right, {.leaves = 5}},
         {"NET OUT", Align::right, {.leaves = 5}},
         {"FULLEST DISK", Align::right, {.leaves = 2}}}};
}

std::vector<Cell> row_of(const TelemetryPoint& point) {
    return {
        {format_instant(point.at)},
        {format_number(point.load1, 2)},
        {format_percent(point.cpu_busy_percent)},
        {format_percent(point.cpu_iowait_percent)},
        {format_percent(point.cpu_steal_percent)},
        {format_percent(memory_used_percent(point))},
        {format_rate(point.disk_read_bytes_per_second)},
        {format_rate(point.disk_write_bytes_per_second)},
        {format_rate(point.network_receive_bytes_per_second)},
        {format_rate(point.network_transmit_bytes_per_second)},
        {format_percent(point.filesystem_used_percent_max)}};
}

void print_vm(Context& context, const Vm& vm, const std::string& paused) {
    context.print(facts_of(vm, paused, context.now()));
    for (const auto& table :
         {disks_of(vm.reported), filesystems_of(vm.reported), network_of(vm.reported)}) {
        if (table.empty()) continue;
        context.say("");
        context.print(table);
    }
    for (const auto& section : vm.reported.sections)
        if (section.truncated)
            context.note(
                "The VM has more in \"{}\" than an agent reports.", {word_of(section.section)}
            );
}

}  // namespace synapsex::cli

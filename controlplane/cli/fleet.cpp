#include "controlplane/cli/fleet.hpp"

#include "controlplane/cli/enum_words.hpp"
#include "controlplane/cli/listing.hpp"
#include "controlplane/cli/units.hpp"

namespace synapsex::cli {

namespace {

using vm_registry::State;
using vm_registry::VmSummary;

Style style_of(State state) {
    switch (state) {
        case State::online: return Style::good;
        case State::degraded:
        case State::late:
        case State::quarantined: return Style::warning;
        case State::offline:
        case State::lost: return Style::bad;
        case State::updating:
        case State::rebooting:
        case State::pending: return Style::busy;
        case State::unknown: return Style::dim;
    }
    return Style::plain;
}

// A VM, or the agent of the same name, in the words of who asked for it.
struct Sought {
    std::string what;    // "VM"
    std::string code;    // of problems: "cli.vm"
    std::string lister;  // the command that shows all
};
const Sought kVm{"VM", "cli.vm", "vms list"};
const Sought kAgent{"agent", "cli.agent", "agents list"};

// The server may find more than exactly this name.
Result<VmSummary> find_by_name(Context& context, const Sought& sought, const std::string& name) {
    vm_registry::ListVms wish;
    wish.name.emplace().value = name;
    SYNAPSEX_TRY(auto listing, list_up_to(context, vm_registry::kListVms, wish, kListLimit));
    std::erase_if(listing.items, [&](const VmSummary& vm) { return vm.name != name; });
    if (listing.items.empty())
        return Problem{
            .kind = Kind::not_found,
            .code = sought.code + "_not_found",
            .detail = "There is no " + sought.what + " named \"" + name + "\" here. See " +
                      context.command(sought.lister) + "."};
    if (listing.items.size() > 1)
        return Problem{
            .kind = Kind::conflict,
            .code = sought.code + "_ambiguous",
            .detail = std::to_string(listing.items.size()) + ' ' + sought.what + "s are named \"" +
                      name + "\"; name the one you mean by its id (" +
                      context.command(sought.lister) + ")."};
    return std::move(listing.items.front());
}

}  // namespace

Cell state_cell(State state) { return {word_of(state), style_of(state)}; }

Result<VmId> find_vm(Context& context, const std::string& id_or_name) {
    if (auto id = VmId::parse(id_or_name)) return *std::move(id);
    if (AgentId::parse(id_or_name))
        return usage_problem(id_or_name + " is an agent's id. Give its VM's id or name.");
    SYNAPSEX_TRY(const auto vm, find_by_name(context, kVm, id_or_name));
    return vm.id;
}

Result<AgentId> find_agent(Context& context, const std::string& id_or_name) {
    if (auto id = AgentId::parse(id_or_name)) return *std::move(id);
    if (VmId::parse(id_or_name))
        return usage_problem(id_or_name + " is a VM's id. Give its agent's id or name.");
    SYNAPSEX_TRY(const auto vm, find_by_name(context, kAgent, id_or_name));
    return vm.agent_id;
}

std::string pause_text(const agent_registry::VmPause& pause) {
    const std::string end =
        pause.until ? format_instant(*pause.until) : "somebody there resumes it";
    return "until " + end + (pause.reason.empty() ? "" : ": " + pause.reason);
}

std::string format_share(std::int64_t used, std::int64_t whole) {
    if (whole <= 0) return {};
    const auto percent = 100.0 * static_cast<double>(used) / static_cast<double>(whole);
    return format_bytes(used) + " of " + format_bytes(whole) + " (" + format_percent(percent) + ")";
}

double memory_used_percent(const vm_registry::TelemetryPoint& point) {
    if (point.memory_total_bytes <= 0) return 0;
    const auto used = point.memory_total_bytes - point.memory_available_bytes;
    return 100.0 * static_cast<double>(used) / static_cast<double>(point.memory_total_bytes);
}

}  // namespace synapsex::cli

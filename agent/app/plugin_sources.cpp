#include "agent/app/plugin_sources.hpp"

#include "agent/executor/client.hpp"
#include "agent/transport/inventory_codec.hpp"
#include "agent/transport/telemetry_codec.hpp"
#include "shared/base/describe.hpp"

namespace synapsex::agent {

namespace {

constexpr std::chrono::milliseconds kProbeTime{900};
constexpr std::chrono::seconds kProbeInterval{30};

inventory::SectionName name_of(const std::string& section) {
    const auto name = parse_enum<inventory::SectionName>(section);
    if (!name) throw std::logic_error("no inventory section '" + section + "'");
    return *name;
}

}  // namespace

std::optional<EncodedSample> PluginTelemetry::sample() {
    const auto sample = telemetry::sample_if_due(sampler_, facts_, clock_);
    if (!sample) return std::nullopt;
    return encode_sample(*sample);
}

std::vector<std::string> PluginInventory::sections() {
    std::vector<std::string> names;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<inventory::SectionName>>(
        [&](auto descriptor) { names.emplace_back(descriptor.name); }
    );
    return names;
}

EncodedSection PluginInventory::collect(const std::string& section) {
    return encode_section(collector_.collect(name_of(section)));
}

bool PluginInventory::may_have_changed(const std::string& section) {
    return collector_.may_have_changed(name_of(section));
}

ExecutorProbe::State SocketExecutorProbe::probe() {
    const auto now = clock_.steady_now();
    if (now < ask_again_at_) return last_;
    const auto answer = executor::ask(socket_path_, executor::Verb::status, kProbeTime);
    const bool is_answered = answer && answer->status;
    if (!is_answered) return last_ = State::unreachable;
    last_ = answer->status->is_privileged ? State::privileged : State::unprivileged;
    ask_again_at_ = now + kProbeInterval;
    return last_;
}

}  // namespace synapsex::agent

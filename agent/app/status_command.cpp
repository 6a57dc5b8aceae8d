#include "agent/app/status_command.hpp"

#include <cstdio>

#include <boost/json.hpp>

#include "agent/executor/client.hpp"
#include "agent/executor/options.hpp"
#include "agent/worker/files.hpp"
#include "agent/worker/identity_store.hpp"
#include "agent/worker/state_file.hpp"
#include "agent/worker/worker.hpp"
#include "shared/base/version.hpp"

namespace synapsex::agent {

namespace json = boost::json;

namespace {

constexpr int kExitNotRunning = 3;
constexpr int kExitUnknown = 1;
constexpr std::chrono::milliseconds kExecutorTime{1'500};

json::value identity_json(const std::optional<Identity>& identity) {
    if (!identity) return nullptr;
    return json::object{
        {"agentId", identity->agent_id.text()},
        {"vmId", identity->vm_id.text()},
        {"tenantId", identity->tenant_id.text()},
        {"url", identity->url},
    };
}

json::value worker_json(const std::optional<WorkerState>& state) {
    if (!state) return nullptr;
    json::object report{
        {"connected", state->is_connected},
        {"lastHeartbeatAt", format_rfc3339(state->last_heartbeat_at)},
        {"lastProblem", state->last_problem},
        {"keyId", state->key_id},
        {"sequence", state->sequence},
        {"spooledSamples", state->backlog.samples},
        {"spooledBytes", state->backlog.bytes},
        {"droppedSamples", state->dropped_samples},
        {"spoolInMemory", state->is_spool_in_memory},
    };
    if (state->is_time_disputed) report["clocksDisagree"] = true;
    if (!state->last_problem_detail.empty())
        report["lastProblemDetail"] = state->last_problem_detail;
    if (state->asks_again_at != Timestamp{})
        report["asksAgainAt"] = format_rfc3339(state->asks_again_at);
    return report;
}

json::value executor_json(const Result<executor::Answer>& answer) {
    if (!answer || !answer->status) return nullptr;
    return json::object{
        {"version", answer->status->version},
        {"pid", answer->status->pid},
        {"privileged", answer->status->is_privileged},
        {"workerPid", answer->status->worker_pid},
        {"workerRestartsRequested", answer->status->worker_restarts},
    };
}

// "name: value" for each member, nested ones indented.
void print_text(const json::object& object, const std::string& indent) {
    for (const auto& member : object) {
        const std::string name = member.key();
        if (const auto* inner = member.value().if_object()) {
            std::printf("%s%s:\n", indent.c_str(), name.c_str());
            print_text(*inner, indent + "  ");
            continue;
        }
        const auto* text = member.value().if_string();
        const std::string value = text != nullptr ? std::string{text->data(), text->size()}
                                                  : json::serialize(member.value());
        std::printf("%s%s: %s\n", indent.c_str(), name.c_str(), visible_text(value).c_str());
    }
}

}  // namespace

std::string visible_text(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string visible;
    for (const char c : text) {
        if (c >= ' ' && c <= '~') {
            visible += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        visible.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 0xF]);
    }
    return visible;
}

int status_command(const AgentConfig& config, StatusFormat format) {
    const auto identity = IdentityStore{config.data_dir}.find_identity();
    if (!identity) {
        std::fprintf(stderr, "%s\n", identity.error().detail.c_str());
        return kExitUnknown;
    }
    const auto is_running = is_file_locked(config.data_dir / kLockFile);
    if (!is_running) {
        std::fprintf(stderr, "%s\n", is_running.error().detail.c_str());
        return kExitUnknown;
    }
    // What a worker that has ended left behind says nothing about now.
    std::optional<WorkerState> state;
    if (*is_running) state = read_state_file(config.run_dir / kStateFile);
    const auto executor =
        executor::ask(executor::socket_path(config.run_dir), executor::Verb::status, kExecutorTime);
    const json::object report{
        {"version", kVersion.data()},
        {"running", *is_running},
        {"identity", identity_json(*identity)},
        {"worker", worker_json(state)},
        {"executor", executor_json(executor)},
    };
    if (format == StatusFormat::json) std::printf("%s\n", json::serialize(report).c_str());
    else print_text(report, "");
    return *is_running ? 0 : kExitNotRunning;
}

}  // namespace synapsex::agent

#include "agent/app/status_command.hpp"

#include <cstdio>

#include "agent/app/agent_user.hpp"
#include "agent/app/pause_command.hpp"
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

// Whose signatures count on this VM, and who said so.
json::value trust_root_json(const AgentConfig& config, const std::optional<Identity>& identity) {
    const bool is_local = !config.trust_root.empty();
    auto fingerprint = is_local ? config.trust_root : identity ? identity->trust_root : "";
    if (fingerprint.empty() || fingerprint == kNoTrustRoot) return nullptr;
    return json::object{
        {"fingerprint", fingerprint},
        {"pinnedBy", is_local ? "setting" : "enrollment"},
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
    if (state->is_time_disputed) {
        report["clocksDisagree"] = true;
        report["clockAheadSeconds"] = state->clock_ahead.count();
        if (state->is_time_proven) report["timeProven"] = true;
    }
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

}  // namespace

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

// What the agent's files say; as its user, where there is a directory of its.
Result<json::object> report_of_files(const AgentConfig& config) {
    const auto user = AgentUser::become(config.data_dir, "see how it is");
    if (!user && user.error().code != "agent.no_data_dir") return user.error();
    SYNAPSEX_TRY(const auto identity, IdentityStore{config.data_dir}.find_identity());
    SYNAPSEX_TRY(const auto is_running, is_file_locked(config.data_dir / kLockFile));
    SYNAPSEX_TRY(const auto pause, find_pause(config.data_dir, this_moment(SystemClock{})));
    // What a worker that has ended left behind says nothing about now.
    std::optional<WorkerState> state;
    if (is_running) state = read_state_file(config.run_dir / kStateFile);
    return json::object{
        {"version", kVersion.data()},
        {"running", is_running},
        {"paused", pause_json(pause)},
        {"identity", identity_json(identity)},
        {"trustRoot", trust_root_json(config, identity)},
        {"worker", worker_json(state)},
    };
}

Result<json::object> status_report(const AgentConfig& config) {
    SYNAPSEX_TRY(auto report, report_of_files(config));
    // With the own rights: the executor keeps places for root.
    const auto executor =
        executor::ask(executor::socket_path(config.run_dir), executor::Verb::status, kExecutorTime);
    report["executor"] = executor_json(executor);
    return report;
}

int status_command(const AgentConfig& config, StatusFormat format) {
    const auto report = status_report(config);
    if (!report) {
        std::fprintf(stderr, "%s\n", report.error().detail.c_str());
        return kExitUnknown;
    }
    if (format == StatusFormat::json) std::printf("%s\n", json::serialize(*report).c_str());
    else print_text(*report, "");
    return report->at("running").as_bool() ? 0 : kExitNotRunning;
}

}  // namespace synapsex::agent

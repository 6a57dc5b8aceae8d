#include "agent/worker/state_file.hpp"

#include <utility>

#include <boost/json.hpp>

#include "agent/worker/files.hpp"
#include "shared/base/log.hpp"

namespace synapsex::agent {

namespace json = boost::json;

namespace {

template <class T>
T member(const json::object& object, json::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr) return T{};
    auto result = json::try_value_to<T>(*value);
    return result ? *std::move(result) : T{};
}

}  // namespace

void write_state_file(const std::filesystem::path& path, const WorkerState& state) {
    const auto text = json::serialize(json::object{
        {"connected", state.is_connected},
        {"lastHeartbeatAt", format_rfc3339(state.last_heartbeat_at)},
        {"lastProblem", state.last_problem},
        {"lastProblemDetail", state.last_problem_detail},
        {"asksAgainAt", format_rfc3339(state.asks_again_at)},
        {"keyId", state.key_id},
        {"sequence", state.sequence},
        {"spooledSamples", state.backlog.samples},
        {"spooledBytes", state.backlog.bytes},
        {"droppedSamples", state.dropped_samples},
        {"spoolInMemory", state.is_spool_in_memory},
        {"executor", state.executor},
        {"clocksDisagree", state.is_time_disputed},
        {"clockAheadSeconds", state.clock_ahead.count()},
        {"timeProven", state.is_time_proven},
    });
    const auto written = write_file_atomically(path, text + "\n", FileDurability::cached);
    if (!written)
        log_debug("the state file cannot be written", {{"detail", written.error().detail}});
}

std::optional<WorkerState> read_state_file(const std::filesystem::path& path) {
    constexpr std::size_t kStateBytesMax = 16 * 1024;
    const auto text = find_own_file(path, kStateBytesMax);
    if (!text || !*text) return std::nullopt;
    json::error_code error;
    const auto value = json::parse(**text, error);
    if (error || !value.is_object()) return std::nullopt;
    const auto& object = value.get_object();
    const auto heartbeat_at = parse_rfc3339(member<std::string>(object, "lastHeartbeatAt"));
    const auto asks_again_at = parse_rfc3339(member<std::string>(object, "asksAgainAt"));
    return WorkerState{
        .is_connected = member<bool>(object, "connected"),
        .last_heartbeat_at = heartbeat_at.value_or(Timestamp{}),
        .last_problem = member<std::string>(object, "lastProblem"),
        .last_problem_detail = member<std::string>(object, "lastProblemDetail"),
        .asks_again_at = asks_again_at.value_or(Timestamp{}),
        .key_id = member<std::string>(object, "keyId"),
        .sequence = member<std::uint64_t>(object, "sequence"),
        .backlog =
            {
                .samples = member<std::size_t>(object, "spooledSamples"),
                .bytes = member<std::size_t>(object, "spooledBytes"),
            },
        .dropped_samples = member<std::uint64_t>(object, "droppedSamples"),
        .is_spool_in_memory = member<bool>(object, "spoolInMemory"),
        .executor = member<std::string>(object, "executor"),
        .is_time_disputed = member<bool>(object, "clocksDisagree"),
        .clock_ahead = std::chrono::seconds{member<std::int64_t>(object, "clockAheadSeconds")},
        .is_time_proven = member<bool>(object, "timeProven"),
    };
}

void StateWriter::write(WorkerState state) {
    {
        const std::lock_guard lock{mutex_};
        if (std::exchange(newest_, std::move(state))) return;
    }
    thread_.post([this] { write_newest(); });
}

void StateWriter::write_newest() {
    std::optional<WorkerState> state;
    {
        const std::lock_guard lock{mutex_};
        state.swap(newest_);
    }
    write_state_file(path_, *state);
}

}  // namespace synapsex::agent

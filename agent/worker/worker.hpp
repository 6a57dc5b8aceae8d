#pragma once

// The worker process: enrolls if need be, then samples and talks until SIGTERM or SIGINT. Six
// threads: this one waits for signals, one samples, one talks; what may hang on a disk has one for
// the spool, one for the inventory and one for the state file.

#include <filesystem>
#include <optional>
#include <string>

#include "agent/spool/spool_file.hpp"
#include "agent/worker/certificate_clock.hpp"
#include "agent/worker/ports.hpp"
#include "shared/base/random.hpp"
#include "shared/base/result.hpp"
#include "shared/net/http_client.hpp"

namespace synapsex::agent {

struct WorkerSettings {
    std::string url;  // empty: the one of the enrollment
    std::filesystem::path token_file;
    // Where a person puts a token that is handed over as token_file at the next start; empty:
    // token_file itself is that place.
    std::filesystem::path offered_token_file{};
    // In place of what the token named; empty text: no authority is pinned.
    std::optional<std::string> authority_pin{};
    // In place of the operators' trust root that was pinned at enrollment; empty text: none.
    std::optional<std::string> trust_root{};
    std::filesystem::path data_dir;
    std::filesystem::path run_dir;
    std::string name;
    std::string boot_id;
    std::string agent_version;
    SpoolLimits spool{};
};

// What the worker stands on; all of it outlives run_worker.
struct WorkerParts {
    net::HttpClient& http;
    TelemetrySource& telemetry;
    InventorySource& inventory;
    ExecutorProbe& executor;
    TimeFloor& time_floor;
    const CertificateClock& certificate_clock;
    const Clock& clock;
    Random& random;
};

// Before any thread is started: the signals then go to wait_for_stop alone.
void block_stop_signals();

// Returns when the worker has stopped as asked; a failure says why it could not run at all. Ends
// the process itself if a thread does not come to its end in time: the spool survives that.
Result<Done> run_worker(const WorkerSettings& settings, const WorkerParts& parts);

inline constexpr const char* kLockFile = "worker.lock";  // in the data directory
// In the run directory.
inline constexpr const char* kStateFile = "worker-state.json";
inline constexpr const char* kWorkerPidFile = "worker.pid";

}  // namespace synapsex::agent

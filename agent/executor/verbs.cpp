#include "agent/executor/verbs.hpp"

#include <unistd.h>

#include "shared/base/log.hpp"
#include "shared/base/version.hpp"

namespace synapsex::executor {

Verbs::Verbs(WorkerRules worker, const Clock& clock)
    : worker_(std::move(worker)), started_at_(clock.now()) {}

Answer Verbs::carry_out(Verb verb) {
    switch (verb) {
        case Verb::status: return status();
        case Verb::restart_worker: return restart_worker();
    }
    return {.error_code = "executor.bad_request", .error_detail = "No such verb."};
}

Answer Verbs::status() const {
    const auto worker = WorkerProcess::find(worker_);
    return {
        .status = Status{
            .version = std::string{kVersion},
            .pid = ::getpid(),
            .started_at_us = to_micros(started_at_),
            .is_privileged = ::geteuid() == 0,
            .worker_pid = worker ? worker->pid() : 0,
            .worker_restarts = worker_restarts_,
        },
    };
}

// Whoever supervises the worker (systemd, or our own supervisor) starts it again.
Answer Verbs::restart_worker() {
    const auto worker = WorkerProcess::find(worker_);
    if (!worker) return {.error_code = worker.error().code, .error_detail = worker.error().detail};
    const auto ended = worker->terminate();
    if (!ended) return {.error_code = ended.error().code, .error_detail = ended.error().detail};
    ++worker_restarts_;
    log_info("the worker is asked to end", {{"pid", worker->pid()}});
    return status();
}

}  // namespace synapsex::executor

#include "controlplane/services/auth/upkeep.hpp"

#include "shared/base/log.hpp"

namespace synapsex::auth {

namespace {

using namespace std::chrono_literals;

constexpr auto kFlushInterval = 15s;
constexpr auto kPruneInterval = 1min;
constexpr auto kSweepInterval = 1h;
constexpr auto kBudget = 10s;

// What failed is met again the next time.
void warn_if_failed(std::string_view task, const Result<Done>& outcome) {
    if (outcome) return;
    log_warning("background task failed", {{"task", task}, {"code", outcome.error().code}});
}

}  // namespace

void Upkeep::start() {
    flushing_ = std::make_unique<PeriodicTask>("auth.key_usage", kFlushInterval, [this] {
        flush_key_usage();
    });
    pruning_ = std::make_unique<PeriodicTask>("auth.used_assertions", kPruneInterval, [this] {
        prune_assertions();
    });
    sweeping_ = std::make_unique<PeriodicTask>("auth.registrations", kSweepInterval, [this] {
        sweep_registrations();
    });
}

void Upkeep::stop() {
    if (!flushing_) return;
    sweeping_.reset();
    pruning_.reset();
    flushing_.reset();
    try {
        flush_key_usage();
    } catch (const std::exception& error) {
        // A database that is gone is no reason not to stop.
        log_warning("key usage was not written", {{"error", error.what()}});
    }
}

void Upkeep::flush_key_usage() {
    const auto call = Call::system("auth.key_usage", Deadline::after(clock_, kBudget));
    warn_if_failed("auth.key_usage", key_usage_.flush(call));
}

void Upkeep::prune_assertions() {
    const auto call = Call::system("auth.used_assertions", Deadline::after(clock_, kBudget));
    warn_if_failed("auth.used_assertions", tokens_.prune(call));
}

void Upkeep::sweep_registrations() {
    const auto call = Call::system("auth.registrations", Deadline::after(clock_, kBudget));
    warn_if_failed("auth.registrations", registration_.sweep(call));
}

}  // namespace synapsex::auth

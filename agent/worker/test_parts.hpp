#pragma once

// Stand-ins for the machine around the worker.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/worker/ports.hpp"
#include "shared/base/time.hpp"

namespace synapsex::agent::testing {

// Of an agent that is enrolled at this control plane.
inline Identity identity_at(std::string url, std::string_view agent_id) {
    const auto agent = *AgentId::parse(agent_id);
    return {
        .agent_id = agent,
        .vm_id = VmId::derived_from(agent),
        .tenant_id = TenantId::derived_from(agent),
        .url = std::move(url),
        .issuer = "https://issuer.test",
        .server_incarnation = "inc-1",
    };
}

// Takes no samples of its own accord: tests put them into the spool.
class NoTelemetry final : public TelemetrySource {
 public:
    std::optional<EncodedSample> sample() override { return std::nullopt; }
};

class FakeInventory final : public InventorySource {
 public:
    // From now on each look at the section takes until it is let_through(), or until recover().
    void hang_at(std::string section) {
        const std::lock_guard lock{mutex_};
        hangs_at_.insert(std::move(section));
    }
    // One look.
    void let_through(const std::string& section) {
        {
            const std::lock_guard lock{mutex_};
            ++let_through_[section];
        }
        changed_.notify_all();
    }
    void recover() {
        {
            const std::lock_guard lock{mutex_};
            hangs_at_.clear();
        }
        changed_.notify_all();
    }
    // Whoever looks from now on sees something else; who is looking already does not.
    void change(const std::string& section) {
        const std::lock_guard lock{mutex_};
        ++version_[section];
        has_changed_.insert(section);
    }
    // Waits until that many looks at the section have begun.
    void wait_for_looks(const std::string& section, int looks) {
        std::unique_lock lock{mutex_};
        const auto limit = std::chrono::seconds{20};
        if (!changed_.wait_for(lock, limit, [&] { return looks_[section] >= looks; }))
            throw std::runtime_error("nobody looked at " + section);
    }
    int looks(const std::string& section) {
        const std::lock_guard lock{mutex_};
        return looks_[section];
    }

    std::vector<std::string> sections() override { return {"cpu", "os"}; }
    EncodedSection collect(const std::string& section) override {
        std::unique_lock lock{mutex_};
        ++looks_[section];
        changed_.notify_all();
        const int version = version_[section];
        const auto seen = section + (version == 0 ? "" : "-" + std::to_string(version));
        changed_.wait(lock, [&] {
            return !hangs_at_.contains(section) || let_through_[section] > 0;
        });
        if (hangs_at_.contains(section)) --let_through_[section];
        return {.hash = "hash-of-" + seen, .bytes = "bytes-of-" + seen};
    }
    bool may_have_changed(const std::string& section) override {
        const std::lock_guard lock{mutex_};
        return has_changed_.erase(section) > 0;
    }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::string> hangs_at_;
    std::set<std::string> has_changed_;
    std::map<std::string, int> let_through_;
    std::map<std::string, int> version_;
    std::map<std::string, int> looks_;
};

// The system's, which can be moved on.
class MovableClock final : public Clock {
 public:
    void advance(std::chrono::seconds time) { ahead_ += time.count(); }

    Timestamp now() const override { return system_.now() + ahead(); }
    SteadyTime steady_now() const override { return system_.steady_now() + ahead(); }

 private:
    std::chrono::seconds ahead() const { return std::chrono::seconds{ahead_.load()}; }

    SystemClock system_;
    std::atomic<std::int64_t> ahead_ = 0;
};

class FakeExecutor final : public ExecutorProbe {
 public:
    State probe() override { return State::unprivileged; }
};

}  // namespace synapsex::agent::testing

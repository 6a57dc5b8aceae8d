#pragma once

// Stand-ins for the machine around the worker.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/worker/ports.hpp"

namespace synapsex::agent::testing {

// Takes no samples of its own accord: tests put them into the spool.
class NoTelemetry final : public TelemetrySource {
 public:
    std::optional<EncodedSample> sample() override { return std::nullopt; }
};

class FakeInventory final : public InventorySource {
 public:
    // Looking at the section takes until recover().
    void hang_at(std::string section) {
        const std::lock_guard lock{mutex_};
        hangs_at_ = std::move(section);
    }
    void recover() {
        hang_at("");
        changed_.notify_all();
    }

    std::vector<std::string> sections() override { return {"cpu", "os"}; }
    EncodedSection collect(const std::string& section) override {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return hangs_at_ != section; });
        return {.hash = "hash-of-" + section, .bytes = "bytes-of-" + section};
    }
    bool may_have_changed(const std::string&) override { return false; }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string hangs_at_;
};

class FakeExecutor final : public ExecutorProbe {
 public:
    State probe() override { return State::unprivileged; }
};

}  // namespace synapsex::agent::testing

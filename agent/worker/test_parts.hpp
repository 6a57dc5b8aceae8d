#pragma once

// Stand-ins for the machine around the worker, and a directory that goes away with the test.

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include <stdlib.h>

#include "agent/worker/ports.hpp"

namespace synapsex::agent::testing {

class TemporaryDirectory {
 public:
    TemporaryDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "synapsex-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = pattern;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::filesystem::path& path() const { return path_; }

 private:
    std::filesystem::path path_;
};

// Takes no samples of its own accord: tests put them into the spool.
class NoTelemetry final : public TelemetrySource {
 public:
    std::optional<EncodedSample> sample() override { return std::nullopt; }
};

class FakeInventory final : public InventorySource {
 public:
    std::vector<std::string> sections() override { return {"cpu", "os"}; }
    EncodedSection collect(const std::string& section) override {
        return {.hash = "hash-of-" + section, .bytes = "bytes-of-" + section};
    }
    bool may_have_changed(const std::string&) override { return false; }
};

class FakeExecutor final : public ExecutorProbe {
 public:
    State probe() override { return State::unprivileged; }
};

}  // namespace synapsex::agent::testing

#pragma once

// A disk for tests that stops answering when it is told to, as one behind a broken controller does,
// or takes no reservation of numbers, as a full one does.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "agent/spool/spool_disk.hpp"

namespace synapsex::agent::testing {

class StallingDisk final : public SpoolDisk {
 public:
    explicit StallingDisk(SpoolDisk& disk) : disk_(disk) {}

    void stall() {
        const std::lock_guard lock{mutex_};
        is_stalled_ = true;
    }
    void recover() {
        {
            const std::lock_guard lock{mutex_};
            is_stalled_ = false;
        }
        changed_.notify_all();
    }
    void refuse_reservations() { is_refusing_ = true; }
    void take_reservations() { is_refusing_ = false; }
    // Waits until that many samples have been written since the beginning.
    void wait_for_appended(std::size_t samples) {
        std::unique_lock lock{mutex_};
        const auto limit = std::chrono::seconds{20};
        if (!changed_.wait_for(lock, limit, [&] { return appended_ >= samples; }))
            throw std::runtime_error("the disk was not given that many samples");
    }

    void append(const std::vector<EncodedSample>& samples) override {
        wait();
        disk_.append(samples);
        {
            const std::lock_guard lock{mutex_};
            appended_ += samples.size();
        }
        changed_.notify_all();
    }
    std::vector<EncodedSample> oldest(std::size_t samples_max, std::size_t bytes_max) override {
        wait();
        return disk_.oldest(samples_max, bytes_max);
    }
    void forget(const std::vector<std::int64_t>& slots) override {
        wait();
        disk_.forget(slots);
    }
    void drop(const std::vector<std::int64_t>& slots) override {
        wait();
        disk_.drop(slots);
    }
    void count_dropped(std::uint64_t samples) override {
        wait();
        disk_.count_dropped(samples);
    }
    SpoolTotals totals() const override { return disk_.totals(); }
    bool reserve_sequence(std::uint64_t last) override {
        wait();
        return !is_refusing_ && disk_.reserve_sequence(last);
    }
    std::uint64_t reserved_sequence() override { return disk_.reserved_sequence(); }
    std::string server_incarnation() override { return disk_.server_incarnation(); }
    void set_server_incarnation(const std::string& incarnation) override {
        wait();
        disk_.set_server_incarnation(incarnation);
    }

 private:
    void wait() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !is_stalled_; });
    }

    SpoolDisk& disk_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_stalled_ = false;
    std::atomic<bool> is_refusing_ = false;
    std::size_t appended_ = 0;
};

}  // namespace synapsex::agent::testing

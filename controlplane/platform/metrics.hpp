#pragma once

// Counters, gauges and histograms in the Prometheus text format (0.0.4). Names are
// synapsex_<area>_<what>_<unit>[_total]; label values come from fixed sets (operation ids, kinds),
// never from callers.

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace synapsex {

class Counter {
 public:
    void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<std::uint64_t> value_{0};
};

// Seconds, in buckets from 1 ms to 60 s.
class Histogram {
 public:
    static constexpr std::array kBoundsSeconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                               0.25,  0.5,    1.0,   2.5,  5.0,   10.0, 60.0};
    void observe(std::chrono::nanoseconds duration);

 private:
    friend class Metrics;
    std::array<std::atomic<std::uint64_t>, kBoundsSeconds.size() + 1> buckets_{};
    std::atomic<std::uint64_t> nanoseconds_{0};
};

using Labels = std::vector<std::pair<std::string, std::string>>;

// Any thread. References stay valid for the life of the registry: look a metric up once, keep it.
class Metrics {
 public:
    Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels = {});
    // Read when scraped.
    void gauge(
        std::string_view name, std::string_view help, std::function<double()> read,
        const Labels& labels = {}
    );
    std::string render() const;

 private:
    struct Family {
        std::string help;
        std::map<std::string, std::unique_ptr<Counter>> counters;
        std::map<std::string, std::unique_ptr<Histogram>> histograms;
        std::map<std::string, std::function<double()>> gauges;
    };
    mutable std::mutex mutex_;
    std::map<std::string, Family, std::less<>> families_;
};

}  // namespace synapsex

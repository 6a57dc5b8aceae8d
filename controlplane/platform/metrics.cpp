#include "controlplane/platform/metrics.hpp"

#include <charconv>
#include <cmath>

namespace synapsex {

namespace {

// {operation="vms.list",status="200"}; empty without labels. `extra` comes last (a bucket's bound).
std::string render_labels(const Labels& labels, std::string_view extra = {}) {
    if (labels.empty() && extra.empty()) return {};
    std::string text = "{";
    for (const auto& [name, value] : labels) {
        if (text.size() > 1) text += ',';
        text += name + "=\"";
        for (const char c : value) {
            if (c == '\\' || c == '"') text += '\\';
            if (c == '\n') text += "\\n";
            else text += c;
        }
        text += '"';
    }
    if (!extra.empty()) {
        if (text.size() > 1) text += ',';
        text += extra;
    }
    return text + "}";
}

std::string render_number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

// "{a="b"}" + le -> "{a="b",le="0.1"}"
std::string with_bound(const std::string& labels, const std::string& bound) {
    const std::string pair = "le=\"" + bound + "\"";
    if (labels.empty()) return "{" + pair + "}";
    return labels.substr(0, labels.size() - 1) + "," + pair + "}";
}

}  // namespace

void Histogram::observe(std::chrono::nanoseconds duration) {
    const double seconds = std::chrono::duration<double>(duration).count();
    std::size_t bucket = 0;
    while (bucket < kBoundsSeconds.size() && seconds > kBoundsSeconds[bucket]) ++bucket;
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add(
        static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)),
        std::memory_order_relaxed
    );
}

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
    const std::lock_guard lock{mutex_};
    auto& family = families_[std::string{name}];
    family.help = help;
    auto& slot = family.counters[render_labels(labels)];
    if (!slot) slot = std::make_unique<Counter>();
    return *slot;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, const Labels& labels) {
    const std::lock_guard lock{mutex_};
    auto& family = families_[std::string{name}];
    family.help = help;
    auto& slot = family.histograms[render_labels(labels)];
    if (!slot) slot = std::make_unique<Histogram>();
    return *slot;
}

void Metrics::gauge(
    std::string_view name, std::string_view help, std::function<double()> read, const Labels& labels
) {
    const std::lock_guard lock{mutex_};
    auto& family = families_[std::string{name}];
    family.help = help;
    family.gauges[render_labels(labels)] = std::move(read);
}

std::string Metrics::render() const {
    const std::lock_guard lock{mutex_};
    std::string text;
    for (const auto& [name, family] : families_) {
        const char* type = !family.counters.empty()     ? "counter"
                           : !family.histograms.empty() ? "histogram"
                                                        : "gauge";
        text += "# HELP " + name + " " + family.help + "\n# TYPE " + name + " " + type + "\n";
        for (const auto& [labels, counter] : family.counters)
            text += name + labels + " " + std::to_string(counter->value()) + "\n";
        for (const auto& [labels, read] : family.gauges)
            text += name + labels + " " + render_number(read()) + "\n";
        for (const auto& [labels, histogram] : family.histograms) {
            std::uint64_t cumulative = 0;
            for (std::size_t i = 0; i < histogram->buckets_.size(); ++i) {
                cumulative += histogram->buckets_[i].load(std::memory_order_relaxed);
                const auto bound = i < Histogram::kBoundsSeconds.size()
                                       ? render_number(Histogram::kBoundsSeconds[i])
                                       : std::string{"+Inf"};
                text += name + "_bucket" + with_bound(labels, bound) + " " +
                        std::to_string(cumulative) + "\n";
            }
            const auto nanoseconds = histogram->nanoseconds_.load(std::memory_order_relaxed);
            text += name + "_sum" + labels + " " +
                    render_number(static_cast<double>(nanoseconds) / 1e9) + "\n";
            text += name + "_count" + labels + " " + std::to_string(cumulative) + "\n";
        }
    }
    return text;
}

}  // namespace synapsex

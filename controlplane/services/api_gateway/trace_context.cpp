#include "controlplane/services/api_gateway/trace_context.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "shared/crypto/hash.hpp"

namespace synapsex::api_gateway {

namespace {

bool is_hex(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
}

bool is_id(std::string_view text) {
    return is_hex(text) && text.find_first_not_of('0') != text.npos;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view header) {
    constexpr std::size_t kSize = 55;
    if (header.size() < kSize) return std::nullopt;
    const auto version = header.substr(0, 2);
    if (!is_hex(version) || version == "ff") return std::nullopt;
    if (version == "00" && header.size() != kSize) return std::nullopt;
    if (header.size() > kSize && header[kSize] != '-') return std::nullopt;
    if (header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
    const auto trace_id = header.substr(3, 32);
    const auto parent_id = header.substr(36, 16);
    const auto flags = header.substr(53, 2);
    if (!is_id(trace_id) || !is_id(parent_id) || !is_hex(flags)) return std::nullopt;
    // Of the flags version 00 knows one.
    constexpr std::string_view kOddDigits = "13579bdf";
    const bool is_sampled = kOddDigits.find(flags[1]) != kOddDigits.npos;
    return TraceContext{
        std::string{trace_id}, std::string{parent_id}, is_sampled ? "01" : "00"
    };
}

TraceContext span_of_request(std::string_view header, Random& random) {
    std::array<std::byte, 24> bytes{};
    random.fill(bytes);
    const auto digits = crypto::to_hex(
        {reinterpret_cast<const char*>(bytes.data()), bytes.size()}
    );
    auto context = parse_traceparent(header);
    if (!context) context = TraceContext{digits.substr(0, 32), {}, "00"};
    context->parent_id = digits.substr(32);
    return *std::move(context);
}

}  // namespace synapsex::api_gateway

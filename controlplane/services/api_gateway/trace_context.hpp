#pragma once

// W3C Trace Context, level 1: which trace a request belongs to, and what is handed on of it.

#include <optional>
#include <string>
#include <string_view>

#include "shared/base/random.hpp"

namespace synapsex::api_gateway {

struct TraceContext {
    std::string trace_id;   // 32 lower-case hex digits, not all zero
    std::string parent_id;  // 16, likewise: the span that calls
    std::string flags;      // 2; bit 0: the caller samples

    std::string text() const { return "00-" + trace_id + "-" + parent_id + "-" + flags; }
};

// nullopt for what is no traceparent: then a trace of its own begins. Of a later version the
// members that this one has (section 3.2.4).
std::optional<TraceContext> parse_traceparent(std::string_view header);

// The request's own span, in the caller's trace or in one of its own, which is not sampled.
TraceContext span_of_request(std::string_view header, Random& random);

}  // namespace synapsex::api_gateway

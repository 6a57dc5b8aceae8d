#pragma once

// What every answer says besides itself: which request it is to, who may keep or read it, whether
// its operation ends, and how it is packed.

#include <string>
#include <utility>
#include <vector>

#include "controlplane/platform/api/router.hpp"
#include "controlplane/services/api_gateway/cross_origin.hpp"
#include "controlplane/services/api_gateway/request_limits.hpp"

namespace synapsex::api_gateway {

// A JSON or text of fewer bytes is sent as it is: packing it would save no packet.
inline constexpr std::size_t kPackedBytesMin = 1400;

using Headers = std::vector<std::pair<std::string, std::string>>;

// What a request's head makes of its answer, whatever the answer is. Kept while it is held.
struct AnswerTerms {
    std::string request_id;
    std::string traceparent{};  // of the request's own span; empty: its caller traces nothing
    std::string origin{};       // of the page that may read the answer; empty: none
    bool takes_gzip = false;
    LimitsSeen limits{};        // that the request fell under
};

// RFC 9745, RFC 8594, and RFC 5829 for the successor; none for what is not deprecated.
Headers deprecation_headers(const api::Deprecation& deprecation);

// For an answer that no operation gave: a refusal, a redirection.
void finish_answer(const CrossOrigin& pages, const AnswerTerms& terms, api::Reply& reply);

// For an operation's. Packs on the thread that calls, unless the operation is inline: an I/O thread
// has no time for it, and sends what is kept packed.
void finish_answer(
    const CrossOrigin& pages,
    const AnswerTerms& terms,
    const api::OperationInfo& operation,
    api::Reply& reply
);

}  // namespace synapsex::api_gateway

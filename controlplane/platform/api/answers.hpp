#pragma once

// Answers that are kept, so that a request may be sent again after a lost answer: the
// Idempotency-Key of operations whose replay is `stored`
// (draft-ietf-httpapi-idempotency-key-header, and the bare keys that known clients send).

#include <functional>
#include <typeinfo>

#include "controlplane/platform/api/codec.hpp"
#include "controlplane/platform/api/reply.hpp"
#include "controlplane/platform/auth/call.hpp"

namespace synapsex::api {

inline constexpr std::size_t kIdempotencyKeyMax = 255;  // characters, without quotes

// The key that the header's value means: "…" as a structured field string (RFC 8941, section
// 3.3.3), or bare visible ASCII; both spellings of one text are one key. Kind::invalid
// "idempotency_key.malformed".
Result<std::string> parse_idempotency_key(std::string_view header);

// How an operation's value becomes its answer.
struct AnswerEncoder {
    const std::type_info& type;
    Reply (*encode)(const OperationInfo& operation, const void* value);
};

class Answers {
 public:
    virtual ~Answers() = default;

    // For a request with an Idempotency-Key: its stored answer if there is one, else what `run`
    // answers to a call that stores it with the effect. Only successes are stored: what failed
    // changed nothing, and runs again.
    // 422 "idempotency_key.reused" where the key came with another request, 409
    // "idempotency_key.in_flight" while the first request runs in this process; in another replica
    // it is waited for.
    virtual Outcome once(
        const Call& call,
        const OperationInfo& operation,
        const RequestParts& parts,
        const AnswerEncoder& encoder,
        const std::function<Outcome(const Call&)>& run
    ) = 0;
};

}  // namespace synapsex::api

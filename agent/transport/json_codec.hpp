#pragma once

// The few JSON documents that an agent writes and reads. What comes in is bounded by the HTTP
// client; members that are not known are ignored.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "agent/core/messages.hpp"
#include "shared/crypto/time_proof.hpp"

namespace synapsex::agent {

std::string write_enrollment(const EnrollmentRequest& request);
std::string write_key_offer(const KeyOffer& offer);
// The claims of an RFC 7523 assertion: issuer and subject are the agent.
std::string write_assertion_claims(
    std::string_view agent_id,
    std::string_view audience,
    std::chrono::seconds issued_at,
    std::chrono::seconds expires_at,
    std::string_view token_id
);

// identity.json. nullopt unless every id is well formed: ids become parts of addresses later.
std::optional<Identity> read_identity(std::string_view json);
// The same from the answer to an enrollment, which cannot say what the agent trusts.
std::optional<Identity> read_enrolled(std::string_view json);
std::string write_identity(const Identity& identity);

// nullopt also for a token that lives shorter than kTokenLifetimeMin.
std::optional<AccessToken> read_token(std::string_view json);

std::string write_time_question(std::string_view nonce);
// What it says is not looked at: see crypto::is_proven.
std::optional<crypto::TimeProof> read_time_proof(std::string_view json);

// `code` and `detail` of a problem document (RFC 9457); empty where the body is something else. A
// code is at most 64 of a-z, 0-9, '_' and '.': no text of a server reaches a terminal through it.
struct ProblemText {
    std::string code;
    std::string detail;
};
ProblemText read_problem(std::string_view json);

}  // namespace synapsex::agent

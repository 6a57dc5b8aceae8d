#pragma once

// The control plane as the agent calls it: one blocking function per operation, wire formats
// inside. A failure says what kind of failure it is and never more than once a line of text;
// whether and when to ask again is decided in agent/core.

#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "agent/core/messages.hpp"
#include "shared/base/random.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/net/http_client.hpp"

namespace synapsex::agent {

template <class T>
using CallResult = boost::system::result<T, CallFailure>;

struct Accepted {};

// What signs an assertion (RFC 7523), and for whom.
struct AssertionClaims {
    std::string agent_id;
    std::string issuer;
    Timestamp issued_at;
};
std::string sign_assertion(
    const AssertionClaims& claims, const crypto::Ed25519Key& key, Random& random
);

// The offer of a key that is to replace another, signed by both.
KeyOffer offer_key(
    const Identity& identity, const crypto::Ed25519Key& former, const crypto::Ed25519Key& next
);

class ControlPlane {
 public:
    // `url` without a slash at its end; checked by the HTTP client with each request.
    ControlPlane(net::HttpClient& http, std::string url) : http_(http), url_(std::move(url)) {}

    CallResult<Identity> enroll(const EnrollmentRequest& request);
    CallResult<AccessToken> fetch_token(const std::string& assertion);
    // Waits for the heartbeat's hold and some seconds more; a goodbye only for kGoodbyeTimeout.
    CallResult<HeartbeatAnswer> send_heartbeat(
        const AgentId& agent, const std::string& token, const Heartbeat& heartbeat
    );
    CallResult<Accepted> put_section(
        const std::string& token, const ReportedSection& report, const crypto::Ed25519Key& key
    );
    CallResult<Accepted> put_key(
        const AgentId& agent, const std::string& token, const KeyOffer& offer
    );

    static constexpr std::chrono::milliseconds kGoodbyeTimeout{2'000};

 private:
    CallResult<std::string> call(net::HttpRequest request);

    net::HttpClient& http_;
    std::string url_;
};

}  // namespace synapsex::agent

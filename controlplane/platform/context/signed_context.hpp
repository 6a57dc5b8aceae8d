#pragma once

// How a service knows, of a request that another process sends it, for whom it is and that it is to
// be believed. The one who calls signs the Call together with the very request that it is for: a
// compact JWS in the field X-SynapseX-Context, good for half a minute, one service and one request.
//
// What it holds off, each with a code of its own, context.*, all 401: nothing signed, a signer who
// is not known or may not call here, another service's context, one that is too old or not yet
// good, another method, target or body than was signed, and a change that was made already.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/auth/call.hpp"
#include "controlplane/platform/context/seen_contexts.hpp"
#include "shared/base/random.hpp"
#include "shared/base/result.hpp"
#include "shared/crypto/signer.hpp"

namespace synapsex::context {

inline constexpr std::string_view kHeader = "X-SynapseX-Context";
inline constexpr std::string_view kHeaderLowerCase = "x-synapsex-context";
inline constexpr std::chrono::seconds kLifetime{30};
// Between the clocks of two machines that run services of one installation.
inline constexpr std::chrono::seconds kSkewMax{5};
inline constexpr std::size_t kContextBytesMax = 8 * 1024;
// Changes that one service remembers within a lifetime: 5,000 a second.
inline constexpr std::size_t kSeenMax = 200'000;

// Which service may call which. The one table is app/edges.hpp.
struct Edge {
    std::string_view caller;
    std::string_view callee;
};

// A service whose signatures are believed, and by which keys: while one is replaced, two.
struct Peer {
    std::string service;
    std::vector<std::string> public_keys;  // of Ed25519, 32 bytes each
};

// The request that a context is for.
struct Target {
    std::string_view method;  // "GET"
    std::string_view target;  // path and query, percent-encoded, as sent
};

// Signs for one service. Any thread.
class Issuer {
 public:
    // All outlive it but the strings.
    Issuer(
        std::string service, std::shared_ptr<const crypto::Signer> signer, const Clock& clock,
        Random& random
    );

    // The value of the header field.
    std::string issue(
        std::string_view callee, const Call& call, const Target& target, std::string_view body
    ) const;

 private:
    const std::string service_;
    const std::shared_ptr<const crypto::Signer> signer_;
    const Clock& clock_;
    Random& random_;
};

// A context that is genuine, of a request whose body has not been read.
struct Verified {
    std::string caller;
    Call call;
    std::string body_digest;
    std::string jti;
    bool is_read = false;  // GET: changes nothing, and may be asked again
};

// Verifies for one service. Any thread.
class Verifier {
 public:
    struct Parts {
        std::string service;
        std::vector<Peer> peers;
        std::span<const Edge> edges;
        const Clock& clock;
        std::size_t seen_max = kSeenMax;
    };
    explicit Verifier(Parts parts);

    // By the request's head alone. Kind::unauthenticated, see above.
    Result<Verified> verify(std::string_view header, const Target& target) const;
    // When the body is there, before anything is done: context.other_body, context.replayed;
    // Kind::unavailable context.too_many where no more can be remembered.
    Result<Done> admit(const Verified& verified, std::string_view body);

 private:
    Result<Done> check_caller(std::string_view caller) const;
    Result<Done> check_time(std::int64_t iat, std::int64_t exp) const;

    const Parts parts_;
    const std::int64_t began_at_;  // seconds since 1970
    SeenContexts seen_;
};

// 401 for a request that brings none.
Problem context_missing();

}  // namespace synapsex::context

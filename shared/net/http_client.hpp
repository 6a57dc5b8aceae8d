#pragma once

// One HTTP request, one answer, and a way to end it early. Callers depend on this interface, so
// their tests need no socket; CurlHttpClient is the one that talks to the world.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"
#include "shared/net/vetted_target.hpp"

namespace synapsex::net {

struct HttpHeader {
    std::string name;
    std::string value;

    friend bool operator==(const HttpHeader&, const HttpHeader&) = default;
};

// Whether the certificates of a server have to be in their time. `unchecked` is there to ask one of
// a pinned authority for a proof of the time (crypto/time_proof.hpp) and for nothing else: it needs
// pins, and bears nothing that could be stolen; its connection and TLS session serve no other
// request, and no authority is pinned by it.
enum class Validity { checked, unchecked };

struct HttpRequest {
    std::string method = "GET";
    std::string url{};
    // In place of `url`, for every URL that a tenant supplied: the connection is new, goes to one
    // of these addresses and through no proxy, whatever names resolve to by now. Certificate, SNI
    // and Host are of the name.
    std::optional<VettedTarget> target{};
    std::vector<HttpHeader> headers{};  // with Validity::unchecked: Content-Type at most
    std::string body{};
    Validity validity = Validity::checked;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds timeout{30'000};  // of the whole exchange, connecting included
    std::size_t response_bytes_max = 1024 * 1024;
};

struct HttpResponse {
    int status = 0;
    std::vector<HttpHeader> headers{};
    std::string body{};
    // With Validity::unchecked: the pinned authorities that the server showed, and the one that
    // follows on the signature of one of them.
    std::vector<std::string> authorities{};

    // The first header of that name, in any case; nullptr if there is none.
    const std::string* find_header(std::string_view name) const;
};

// Codes of the failures. Any status that a server answers is a success here.
inline constexpr std::string_view kUnreachable = "net.unreachable";  // no address, no connection
inline constexpr std::string_view kTimeout = "net.timeout";
inline constexpr std::string_view kTlsFailed = "net.tls";  // no common version, a broken chain
inline constexpr std::string_view kTlsAuthority = "net.tls_authority";  // of none that is trusted
inline constexpr std::string_view kTlsName = "net.tls_name";            // of another host
inline constexpr std::string_view kTlsExpired = "net.tls_expired";
inline constexpr std::string_view kTlsNotYetValid = "net.tls_not_yet_valid";
inline constexpr std::string_view kClosed = "net.closed";            // cut before the answer's end
inline constexpr std::string_view kResponseTooLarge = "net.response_too_large";
inline constexpr std::string_view kCanceled = "net.canceled";
inline constexpr std::string_view kInvalidUrl = "net.invalid_url";
inline constexpr std::string_view kInsecureUrl = "net.insecure_url";  // http:// beyond loopback
inline constexpr std::string_view kProtocolError = "net.protocol";   // what came back is not HTTP

class HttpClient {
 public:
    virtual ~HttpClient() = default;

    // Blocks until the answer is complete or the attempt has failed. One call at a time.
    // Redirects are answers like any other: they are never followed.
    virtual Result<HttpResponse> send(const HttpRequest& request) = 0;

    // From then on a server has to be of an authority with one of these public keys
    // (crypto/public_key_pin.hpp), and of no other that was trusted before. Not during a send().
    virtual void pin_authorities(std::vector<std::string> pins) = 0;
    // As servers have left them, while one authority follows another (pinned_authorities.hpp).
    virtual std::vector<std::string> pinned_authorities() const = 0;

    // From any thread: ends a running send() at once, and every later one, with kCanceled, until
    // resume(). So a cancel that comes a moment before the send it means is not lost.
    virtual void cancel() = 0;
    virtual void resume() = 0;
};

}  // namespace synapsex::net

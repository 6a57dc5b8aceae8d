#pragma once

// Reads one request after another from the bytes of a connection: Beast's parser, and before and
// around it the rules that keep two parsers from seeing two different requests in the same bytes.
// No sockets, no time; each failure is the Problem to answer with, after which the connection has
// to close.
//
// Refused beyond what Beast 1.81 refuses: bare LF, folded lines, Transfer-Encoding that is not
// exactly one "chunked" or comes with HTTP/1.0, a second or listed Content-Length even if equal,
// no Host or two, targets that are not an absolute path of visible ASCII, control characters in
// chunk extensions.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/platform/http/server.hpp"
#include "shared/base/result.hpp"

namespace synapsex::http {

class RequestParser {
 public:
    RequestParser();
    ~RequestParser();

    // Forgets the request before.
    void start();

    // `bytes` is everything since the request's first byte, each time longer than the time before.
    // True once the head is complete; `head` is then filled (its strings reused, client_address
    // left alone) and head_bytes() says how many of `bytes` it took.
    Result<bool> parse_head(std::string_view bytes, RequestHead& head);

    // After a complete head.
    std::size_t head_bytes() const;
    bool has_body() const;
    std::optional<std::uint64_t> content_length() const;  // nullopt: chunked, or no body
    bool keeps_alive() const;
    bool is_http_1_0() const;
    bool expects_continue() const;

    // Limits the body; Kind::too_large at once if the head announces more.
    Result<Done> start_body(std::size_t bytes_max);
    // Appends what `bytes` hold of the body; how many of them it took. May take none until more
    // have come.
    Result<std::size_t> parse_body(std::string_view bytes, std::string& body);
    bool is_complete() const;

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

// The problems that the server itself finds.
Problem malformed_request(std::string detail);
Problem body_too_large(std::size_t bytes_max);

}  // namespace synapsex::http

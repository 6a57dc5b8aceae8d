#pragma once

// What a request is answered with.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "controlplane/platform/api/parking.hpp"

namespace synapsex::api {

// An answer, ready for the wire.
struct Reply {
    int status = 200;
    std::string content_type = "application/json";
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
    // Sent instead of `body` unless it is empty: bytes that outlive the server (embedded files,
    // documents that a route keeps), so that a thousand readers of one cost no copy each.
    std::string_view lasting_body{};
    // The same bytes packed, for who takes gzip; empty: they are not kept packed.
    std::string_view lasting_gzip{};

    std::string_view bytes() const {
        return lasting_body.empty() ? std::string_view{body} : lasting_body;
    }
};

// An answer that waits until its ticket is woken, or `hold` is over; then `finish` makes it, on
// the worker pool.
struct HeldReply {
    std::unique_ptr<Ticket> ticket;
    std::chrono::milliseconds hold{};
    std::function<Reply(Wake)> finish;
};

using Outcome = std::variant<Reply, HeldReply>;

}  // namespace synapsex::api

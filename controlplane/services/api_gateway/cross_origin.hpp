#pragma once

// Which web pages of other origins may read answers (CORS, the Fetch standard, section 3.2). No
// cookie is a credential here, so a page gets no further than the token that it was given.

#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/api/reply.hpp"
#include "controlplane/platform/http/server.hpp"

namespace synapsex::api_gateway {

class CrossOrigin {
 public:
    CrossOrigin() = default;  // none
    // Origins as browsers write them, "https://console.example.com", or "*" for all.
    explicit CrossOrigin(std::vector<std::string> origins);

    // The request's origin if its page may read the answer; else empty.
    std::string origin_of(const http::RequestHead& head) const;
    // What the answer says to the page of `origin`, which may be empty.
    void allow(const std::string& origin, api::Reply& reply) const;
    // What the answer to OPTIONS says besides, if that asks before a request; `methods` are those
    // that the path has.
    void allow_ahead(
        const http::RequestHead& head, const std::string& methods, api::Reply& reply
    ) const;

 private:
    std::vector<std::string> origins_;
    bool is_any_ = false;
};

// "https://host", "http://host:8080" in lower case and without a default port, a path or a slash:
// what a browser sends. "*" is one, too.
bool is_origin(std::string_view text);

}  // namespace synapsex::api_gateway

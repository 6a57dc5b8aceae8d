#pragma once

// A client whose requests together end by a deadline: each gets what is left of the time.

#include <algorithm>
#include <string>

#include "shared/base/time.hpp"
#include "shared/net/forwarding_http_client.hpp"

namespace synapsex::agent {

class HttpUntil final : public net::ForwardingHttpClient {
 public:
    // All of it outlives this.
    HttpUntil(net::HttpClient& http, Deadline deadline, const Clock& clock)
        : ForwardingHttpClient(http), deadline_(deadline), clock_(clock) {}

    Result<net::HttpResponse> send(const net::HttpRequest& request) override {
        using std::chrono::milliseconds;
        const auto left = std::chrono::floor<milliseconds>(deadline_.remaining(clock_));
        // libcurl takes 0 for no limit.
        if (left <= milliseconds{0})
            return Problem{
                .kind = Kind::unavailable,
                .code = std::string{net::kTimeout},
                .detail = "There was no time left for this request.",
            };
        auto limited = request;
        limited.timeout = std::min(limited.timeout, left);
        limited.connect_timeout = std::min(limited.connect_timeout, left);
        sent_at_ = clock_.now();
        return inner_.send(limited);
    }
    Timestamp sent_at() const { return sent_at_; }  // the last one

 private:
    const Deadline deadline_;
    const Clock& clock_;
    Timestamp sent_at_{};
};

}  // namespace synapsex::agent

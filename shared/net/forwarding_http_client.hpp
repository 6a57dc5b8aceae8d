#pragma once

// What does something before or after another client sends, and leaves the rest to that one.

#include <utility>

#include "shared/net/http_client.hpp"

namespace synapsex::net {

class ForwardingHttpClient : public HttpClient {
 public:
    // `inner` outlives it.
    explicit ForwardingHttpClient(HttpClient& inner) : inner_(inner) {}

    void pin_authorities(std::vector<std::string> pins) final {
        inner_.pin_authorities(std::move(pins));
    }
    std::vector<std::string> pinned_authorities() const final {
        return inner_.pinned_authorities();
    }
    void cancel() final { inner_.cancel(); }
    void resume() final { inner_.resume(); }

 protected:
    HttpClient& inner_;
};

}  // namespace synapsex::net

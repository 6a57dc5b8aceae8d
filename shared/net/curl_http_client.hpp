#pragma once

// HttpClient by libcurl. Made for a small resident process: HTTP/1.1, two kept connections, small
// buffers, no cookies, no redirects; certificates are always verified.

#include <functional>
#include <memory>
#include <string>

#include "shared/base/time.hpp"
#include "shared/net/connection_record.hpp"
#include "shared/net/http_client.hpp"
#include "shared/net/pinned_authorities.hpp"

namespace synapsex::net {

// Whether http_proxy, https_proxy and no_proxy of the environment count.
enum class ProxyUse { never, environment };

struct CurlOptions {
    std::string user_agent = "synapsex";
    // PEM file with the authorities to trust instead of the system's. It also saves memory: the
    // system's bundle takes more than a megabyte once it is parsed.
    std::string ca_file{};
    // What certificates are held to, where an authority is pinned.
    std::function<HeldTime()> now = [] { return SystemClock{}.now(); };
    ProxyUse proxy = ProxyUse::never;
    // Where to write down how each request's connection went. Outlives the client.
    ConnectionRecord* record = nullptr;
};

class CurlHttpClient final : public HttpClient {
 public:
    explicit CurlHttpClient(CurlOptions options = {});
    ~CurlHttpClient() override;
    CurlHttpClient(const CurlHttpClient&) = delete;
    CurlHttpClient& operator=(const CurlHttpClient&) = delete;

    Result<HttpResponse> send(const HttpRequest& request) override;
    void pin_authorities(std::vector<std::string> pins) override;
    std::vector<std::string> pinned_authorities() const override;
    void cancel() override;
    void resume() override;

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace synapsex::net

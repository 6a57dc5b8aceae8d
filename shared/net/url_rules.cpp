#include "shared/net/url_rules.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <arpa/inet.h>
#include <curl/curl.h>

#include "shared/net/http_client.hpp"

namespace synapsex::net {

namespace {

struct CloseUrl {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeText {
    void operator()(char* text) const { curl_free(text); }
};

std::string part(CURLU* url, CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return {};
    const std::unique_ptr<char, FreeText> owner{text};
    return text;
}

// Addresses are compared as numbers: "127.1" or "2130706433" in a URL are host names to us, and a
// host name other than localhost could resolve to anything.
bool is_loopback(std::string host) {
    if (host == "localhost") return true;
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    std::array<unsigned char, 16> bytes{};
    if (inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) return bytes[0] == 127;
    if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return false;
    std::array<unsigned char, 16> loopback{};
    loopback[15] = 1;
    return bytes == loopback;
}

Problem invalid(std::string detail) {
    return {.kind = Kind::invalid, .code = std::string{kInvalidUrl}, .detail = std::move(detail)};
}

Problem no_url(const std::string& url) {
    return invalid("The address '" + url + "' is not a URL such as https://host:port.");
}

}  // namespace

Result<Done> check_url(const std::string& url) {
    // What other readers of URLs take for something else: curl reads https:/host and skips \.
    const bool is_plain = std::ranges::all_of(url, [](char c) {
        return c > ' ' && c < 0x7F && c != '\\';
    });
    const auto colon = url.find(':');
    if (!is_plain || colon == url.npos || url.compare(colon, 3, "://") != 0)
        return no_url(url);
    const auto authority = url.substr(colon + 3, url.find_first_of("/?#", colon + 3) - colon - 3);
    if (authority.find('@') != authority.npos)
        return invalid("A URL must not carry a user name or password.");
    const std::unique_ptr<CURLU, CloseUrl> parsed{curl_url()};
    if (!parsed) throw std::bad_alloc{};
    // The flag lets ftp:// and the like through to the message that names the schemes we take.
    if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
        CURLUE_OK)
        return no_url(url);
    const auto scheme = part(parsed.get(), CURLUPART_SCHEME);
    if (scheme == "https") return Done{};
    if (scheme != "http") return invalid("The scheme '" + scheme + "' is not https or http.");
    const auto host = part(parsed.get(), CURLUPART_HOST);
    if (is_loopback(host)) return Done{};
    return Problem{
        .kind = Kind::invalid,
        .code = std::string{kInsecureUrl},
        .detail =
            "http:// is allowed only to this machine itself; use https:// for '" + host + "'.",
    };
}

}  // namespace synapsex::net

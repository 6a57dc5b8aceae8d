#include "shared/net/url_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
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

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
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

Result<UrlParts> split_url(const std::string& url) {
    // What other readers of URLs take for something else: curl reads https:/host and skips \.
    const bool is_plain = std::ranges::all_of(url, [](char c) {
        return c > ' ' && c < 0x7F && c != '\\';
    });
    const auto colon = url.find(':');
    if (!is_plain || colon == url.npos || url.compare(colon, 3, "://") != 0)
        return no_url(url);
    UrlParts parts;
    const auto end = std::min(url.find_first_of("/?#", colon + 3), url.size());
    parts.authority = url.substr(colon + 3, end - colon - 3);
    parts.rest = url.substr(end);
    if (parts.authority.find('@') != parts.authority.npos)
        return invalid("A URL must not carry a user name or password.");
    const std::unique_ptr<CURLU, CloseUrl> parsed{curl_url()};
    if (!parsed) throw std::bad_alloc{};
    // The flag lets ftp:// and the like through to the message that names the schemes we take.
    if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
        CURLUE_OK)
        return no_url(url);
    parts.scheme = part(parsed.get(), CURLUPART_SCHEME);
    parts.host = part(parsed.get(), CURLUPART_HOST);
    const auto port = part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    std::from_chars(port.data(), port.data() + port.size(), parts.port);
    return parts;
}

Result<Done> check_url(const std::string& url) {
    SYNAPSEX_TRY(const auto parts, split_url(url));
    if (parts.scheme == "https") return Done{};
    if (parts.scheme != "http")
        return invalid("The scheme '" + parts.scheme + "' is not https or http.");
    if (is_loopback(parts.host)) return Done{};
    return Problem{
        .kind = Kind::invalid,
        .code = std::string{kInsecureUrl},
        .detail = "http:// is allowed only to this machine itself; use https:// for '" +
                  parts.host + "'.",
    };
}

}  // namespace synapsex::net

#include "controlplane/cli/answer.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

namespace synapsex::cli {

std::string request_id_of(const net::HttpResponse& response) {
    const auto* id = response.find_header("X-Request-Id");
    return id == nullptr ? std::string{} : *id;
}

std::optional<std::chrono::seconds> retry_after_of(const net::HttpResponse& response) {
    const auto* text = response.find_header("Retry-After");
    if (text == nullptr) return std::nullopt;
    std::int64_t seconds = 0;
    const auto* end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, seconds);
    if (read.ec != std::errc{} || read.ptr != end || seconds < 0) return std::nullopt;
    return std::chrono::seconds{seconds};
}

std::optional<std::string> next_cursor_of(const net::HttpResponse& response) {
    const auto* link = response.find_header("Link");
    if (link == nullptr) return std::nullopt;
    std::string_view rest{*link};
    while (true) {
        const auto open = rest.find('<');
        const auto close = rest.find('>', open);
        if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
        const auto target = rest.substr(open + 1, close - open - 1);
        rest.remove_prefix(close + 1);
        const auto parameters = rest.substr(0, rest.find('<'));
        if (parameters.find("rel=\"next\"") == std::string_view::npos) continue;
        const auto url = boost::urls::parse_uri_reference(target);
        if (!url) return std::nullopt;
        for (const auto& parameter : url->params())
            if (parameter.key == "cursor") return parameter.value;
        return std::nullopt;
    }
}

}  // namespace synapsex::cli

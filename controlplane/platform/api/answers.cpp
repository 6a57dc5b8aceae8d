#include "controlplane/platform/api/answers.hpp"

#include <algorithm>
#include <optional>

namespace synapsex::api {

namespace {

bool is_visible(char c) {
    return c > ' ' && c <= '~';
}

// The text of a structured field string: between quotes, with \" and \\ escaped.
std::optional<std::string> unquote(std::string_view text) {
    if (text.size() < 2 || text.back() != '"') return std::nullopt;
    text = text.substr(1, text.size() - 2);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"' || (text[i] != ' ' && !is_visible(text[i]))) return std::nullopt;
        if (text[i] == '\\' && (++i == text.size() || (text[i] != '"' && text[i] != '\\')))
            return std::nullopt;
        out += text[i];
    }
    return out;
}

}  // namespace

Result<std::string> parse_idempotency_key(std::string_view header) {
    std::optional<std::string> key;
    if (header.starts_with('"'))
        key = unquote(header);
    else if (std::ranges::all_of(header, is_visible))
        key = header;
    if (!key || key->empty() || key->size() > kIdempotencyKeyMax)
        return Problem{
            Kind::invalid, "idempotency_key.malformed",
            "An Idempotency-Key is 1 to " + std::to_string(kIdempotencyKeyMax) +
                " visible ASCII characters, bare or in double quotes, and stands once; a UUID is "
                "a good one."
        };
    return *std::move(key);
}

}  // namespace synapsex::api

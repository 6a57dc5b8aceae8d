#include "shared/net/http_client.hpp"

#include <algorithm>

namespace synapsex::net {

namespace {

// ASCII alone: header names are tokens, and a locale must not change what they mean.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_same_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

const std::string* HttpResponse::find_header(std::string_view name) const {
    const auto found = std::ranges::find_if(headers, [&](const HttpHeader& header) {
        return is_same_name(header.name, name);
    });
    return found == headers.end() ? nullptr : &found->value;
}

}  // namespace synapsex::net

#include "controlplane/services/api_gateway/header_text.hpp"

#include <algorithm>

namespace synapsex::api_gateway {

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equals_ignoring_case(std::string_view left, std::string_view right) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(left, right, {}, lower, lower);
}

std::optional<std::string> list_header(
    const http::RequestHead& head, std::string_view lower_case_name
) {
    std::optional<std::string> list;
    for (const auto& [name, value] : head.headers)
        if (name == lower_case_name) list = list ? *list + ", " + value : value;
    return list;
}

std::string printable(std::string_view text, std::size_t size_max) {
    std::string shown{text.substr(0, size_max)};
    std::ranges::replace_if(shown, [](char c) { return c < ' ' || c > '~'; }, '?');
    return shown;
}

}  // namespace synapsex::api_gateway

#include "controlplane/services/api_gateway/negotiation.hpp"

#include <algorithm>
#include <optional>

#include "controlplane/services/api_gateway/header_text.hpp"

namespace synapsex::api_gateway {

namespace {

std::string_view take_first(std::string_view& list, char separator) {
    const auto end = std::min(list.find(separator), list.size());
    const auto first = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    return first;
}

// "0", "0.", "0.000": not acceptable. Anything else that is written there is taken for a wish.
bool is_zero(std::string_view quality) {
    return quality.starts_with('0') && quality.find_first_not_of("0.") == quality.npos;
}

// An element of a list of ranges: its name, and whether its weight is above zero.
struct Wish {
    std::string_view name;
    bool is_wanted = true;
};

Wish read_wish(std::string_view element) {
    Wish wish{take_first(element, ';')};
    while (!element.empty()) {
        auto parameter = take_first(element, ';');
        const auto name = take_first(parameter, '=');
        if (equals_ignoring_case(name, "q")) wish.is_wanted = !is_zero(parameter);
    }
    return wish;
}

}  // namespace

std::string media_type_of(std::string_view content_type) {
    std::string type{content_type.substr(0, content_type.find(';'))};
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
    std::ranges::transform(type, type.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return type;
}

bool takes_type(std::string_view accept, std::string_view type) {
    const auto family = std::string{type.substr(0, type.find('/') + 1)} + "*";
    std::optional<bool> by_all;
    std::optional<bool> by_family;
    std::optional<bool> by_name;
    bool has_range = false;
    while (!accept.empty()) {
        const auto [range, is_wanted] = read_wish(take_first(accept, ','));
        if (range.empty()) continue;
        if (range.find('/') == range.npos) return true;
        has_range = true;
        if (range == "*/*") by_all = by_all.value_or(false) || is_wanted;
        if (equals_ignoring_case(range, family)) by_family = by_family.value_or(false) || is_wanted;
        if (equals_ignoring_case(range, type)) by_name = by_name.value_or(false) || is_wanted;
    }
    if (!has_range) return true;
    return by_name.value_or(by_family.value_or(by_all.value_or(false)));
}

bool takes_gzip(std::string_view accept_encoding) {
    std::optional<bool> by_all;
    while (!accept_encoding.empty()) {
        const auto [coding, is_wanted] = read_wish(take_first(accept_encoding, ','));
        const bool is_gzip =
            equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip");
        if (is_gzip) return is_wanted;
        if (coding == "*") by_all = is_wanted;
    }
    return by_all.value_or(false);
}

}  // namespace synapsex::api_gateway

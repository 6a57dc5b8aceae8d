#include "controlplane/services/tenant/slug.hpp"

namespace synapsex::tenant {

namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Every run of other characters becomes one hyphen, none at the ends.
std::string simplify(std::string_view name, std::size_t size_max) {
    std::string slug;
    bool is_gap = false;
    for (const char c : name) {
        const char lower = to_lower(c);
        if (!is_letter_or_digit(lower)) {
            is_gap = !slug.empty();
            continue;
        }
        if (slug.size() + (is_gap ? 2 : 1) > size_max) break;
        if (is_gap) slug += '-';
        slug += lower;
        is_gap = false;
    }
    return slug;
}

}  // namespace

bool is_slug(std::string_view text) {
    if (text.size() < Slug::kMin || text.size() > Slug::kMax) return false;
    bool is_after_hyphen = true;
    for (const char c : text) {
        if (c == '-' ? is_after_hyphen : !is_letter_or_digit(c)) return false;
        is_after_hyphen = c == '-';
    }
    return !is_after_hyphen;
}

std::vector<std::string> slugs_for(std::string_view name, const TenantId& tenant) {
    constexpr std::size_t kShortSuffix = 4;
    constexpr std::size_t kLongSuffix = 16;  // all 80 random bits of the ULID
    std::vector<std::string> slugs;
    if (auto plain = simplify(name, Slug::kMax); is_slug(plain)) slugs.push_back(std::move(plain));
    auto stem = simplify(name, Slug::kMax - kLongSuffix - 1);
    if (stem.empty()) stem = "tenant";
    for (const auto size : {kShortSuffix, kLongSuffix}) {
        const auto ulid = tenant.ulid();
        slugs.push_back(stem + "-" + std::string{ulid.substr(ulid.size() - size)});
    }
    return slugs;
}

}  // namespace synapsex::tenant

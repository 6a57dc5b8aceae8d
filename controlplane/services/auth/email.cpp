#include "controlplane/services/auth/email.hpp"

#include <algorithm>

namespace synapsex::auth {

namespace {

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

bool is_local_char(char c) {
    static constexpr std::string_view kRefused = "\"(),:;<>[\\]";
    return is_beyond_ascii(c) || (c > ' ' && c < 0x7F && kRefused.find(c) == kRefused.npos);
}

bool is_label_char(char c) {
    return is_beyond_ascii(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

// Labels of 1 to 63 bytes between dots, no hyphen at their ends.
bool is_domain(std::string_view domain) {
    while (true) {
        const auto dot = domain.find('.');
        const auto label = domain.substr(0, dot);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
            return false;
        if (!std::ranges::all_of(label, is_label_char)) return false;
        if (dot == domain.npos) return true;
        domain.remove_prefix(dot + 1);
    }
}

}  // namespace

std::optional<std::string> normalize_email(std::string_view text) {
    std::string email{text};
    std::ranges::transform(email, email.begin(), to_lower);
    const std::string_view whole{email};
    const auto at = whole.find('@');
    if (at == whole.npos || at == 0 || at > 64) return std::nullopt;
    if (!std::ranges::all_of(whole.substr(0, at), is_local_char)) return std::nullopt;
    if (!is_domain(whole.substr(at + 1))) return std::nullopt;
    return email;
}

}  // namespace synapsex::auth

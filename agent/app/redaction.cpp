#include "agent/app/redaction.hpp"

#include <algorithm>
#include <array>

#include "shared/crypto/hash.hpp"

namespace synapsex::agent {

namespace {

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::size_t kKnownMin = 6;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_word(char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '-';
}
bool is_secret_character(char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '\'' && c != ',';
}

// Of a URL up to its host: a password may have a comma or an apostrophe in it.
bool is_user_character(char c) { return c > ' ' && c < 0x7F && c != '"' && c != '/'; }

// Where `word` stands from `from` on, whatever its case.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
    const auto found = std::search(
        text.begin() + static_cast<std::ptrdiff_t>(std::min(from, text.size())), text.end(),
        word.begin(), word.end(), [](char a, char b) { return lower(a) == lower(b); }
    );
    return found == text.end() ? text.npos : static_cast<std::size_t>(found - text.begin());
}

template <class Belongs>
void redact_after(std::string& text, std::string_view word, std::size_t size_min, Belongs belongs) {
    for (auto at = find_word(text, word, 0); at != text.npos; at = find_word(text, word, at)) {
        at += word.size();
        auto end = at;
        while (end < text.size() && belongs(text[end])) ++end;
        if (end - at < size_min || text.compare(at, kRedacted.size(), kRedacted) == 0) continue;
        text.replace(at, end - at, kRedacted);
    }
}

// "sxe_<26>.": the id may stay.
void redact_enrollment_tokens(std::string& text) {
    constexpr std::string_view kPrefix = "sxe_";
    constexpr std::size_t kIdSize = 26;
    for (auto at = text.find(kPrefix); at != text.npos; at = text.find(kPrefix, at + 1)) {
        const auto dot = at + kPrefix.size() + kIdSize;
        if (dot >= text.size() || text[dot] != '.') continue;
        auto end = dot + 1;
        while (end < text.size() && (is_word(text[end]) || text[end] == '.')) ++end;
        text.replace(dot + 1, end - dot - 1, kRedacted);
    }
}

void redact_users_in_urls(std::string& text) {
    for (auto at = text.find("://"); at != text.npos; at = text.find("://", at + 3)) {
        const auto start = at + 3;
        auto end = start;
        while (end < text.size() && is_user_character(text[end])) ++end;
        const auto user_end = text.rfind('@', end == 0 ? 0 : end - 1);
        if (user_end == text.npos || user_end < start || user_end >= end) continue;
        text.replace(start, user_end - start, kRedacted);
    }
}

void redact_private_keys(std::string& text) {
    constexpr std::string_view kBegin = "PRIVATE KEY-----";
    constexpr std::string_view kEnd = "-----END";
    for (auto at = text.find(kBegin); at != text.npos; at = text.find(kBegin, at + 1)) {
        const auto start = at + kBegin.size();
        const auto end = std::min(text.find(kEnd, start), text.size());
        text.replace(start, end - start, kRedacted);
        at = std::min(text.find(kEnd, start) + kEnd.size() + kBegin.size(), text.size());
    }
}

}  // namespace

void Redaction::add_known(std::string_view secret) {
    if (secret.size() < kKnownMin) return;
    for (auto form : {std::string{secret}, crypto::to_base64url(secret), crypto::to_hex(secret)})
        known_.push_back(std::move(form));
}

void Redaction::add_variable(std::string_view name, std::string_view value) {
    constexpr std::array<std::string_view, 7> kSecret{"pass", "pwd",  "secret",    "token",
                                                      "key",  "auth", "credential"};
    constexpr std::array<std::string_view, 3> kPlace{"file", "path", "dir"};
    const auto has_one_of = [&](const auto& words) {
        return std::ranges::any_of(words, [&](std::string_view word) {
            return find_word(name, word, 0) != name.npos;
        });
    };
    // A path says where a secret is; but a secret may begin as one.
    const bool is_path = value.starts_with('/') && has_one_of(kPlace);
    if (has_one_of(kSecret) && !is_path) add_known(value);
    const auto scheme = value.find("://");
    const auto start = scheme == value.npos ? 0 : scheme + 3;
    const auto user_end = value.rfind('@');
    const auto colon = value.find(':', start);
    if (user_end != value.npos && colon < user_end)
        add_known(value.substr(colon + 1, user_end - colon - 1));
}

std::string Redaction::apply(std::string_view given) const {
    std::string text{given};
    for (const auto& secret : known_)
        for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at))
            text.replace(at, secret.size(), kRedacted);
    redact_private_keys(text);
    redact_enrollment_tokens(text);
    redact_users_in_urls(text);
    const auto in_token = [](char c) {
        return is_word(c) || c == '.' || c == '+' || c == '/' || c == '=';
    };
    redact_after(text, "sk_sx_", 8, in_token);
    redact_after(text, "eyJ", 24, in_token);  // a JWT's first part
    for (const auto* word : {"Bearer ", "Basic "}) redact_after(text, word, 8, in_token);
    constexpr std::array kNames{
        "password", "passphrase", "secret", "token", "assertion", "api_key"
    };
    for (const std::string name : kNames)
        for (const auto* sign : {"=", "\":\"", "\": \""})
            redact_after(text, name + sign, 1, is_secret_character);
    return text;
}

}  // namespace synapsex::agent

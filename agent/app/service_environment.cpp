#include "agent/app/service_environment.hpp"

#include <algorithm>
#include <cstdlib>

#include "agent/app/proxy_choice.hpp"
#include "agent/worker/files.hpp"

namespace synapsex::agent {

namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool is_name(std::string_view text) {
    if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

// Reads one text from its begin to its end.
class Reader {
 public:
    explicit Reader(std::string_view text) : rest_(text) {}

    std::map<std::string, std::string> read() {
        std::map<std::string, std::string> variables;
        while (true) {
            skip(kSpace);
            if (rest_.empty()) return variables;
            if (rest_.front() == '#' || rest_.front() == ';') {
                rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
                continue;
            }
            const auto end = rest_.find_first_of("=\n");
            auto name = rest_.substr(0, end);
            const bool is_line_over = end == rest_.npos || rest_[end] == '\n';
            rest_.remove_prefix(std::min(name.size() + 1, rest_.size()));
            if (is_line_over) continue;
            name = name.substr(0, name.find_last_not_of(kSpace) + 1);
            auto text = value();
            if (is_name(name)) variables[std::string{name}] = std::move(text);
        }
    }

 private:
    void skip(std::string_view characters) {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
    }
    char take() {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    // To the line's end: quoted parts, and at last perhaps one without quotes.
    std::string value() {
        std::string text;
        while (true) {
            skip(" \t\r");
            if (rest_.empty()) return text;
            const char c = take();
            if (c == '\n') return text;
            if (c == '\'') single_quoted(text);
            else if (c == '"') double_quoted(text);
            else return text + unquoted(c);
        }
    }
    void single_quoted(std::string& text) {
        while (!rest_.empty()) {
            const char c = take();
            if (c == '\'') return;
            text += c;
        }
    }
    void double_quoted(std::string& text) {
        while (!rest_.empty()) {
            const char c = take();
            if (c == '"') return;
            if (c != '\\' || rest_.empty()) {
                text += c;
                continue;
            }
            const char escaped = take();
            if (escaped == '\n') continue;
            if (std::string_view{"\"\\`$"}.find(escaped) == std::string_view::npos) text += c;
            text += escaped;
        }
    }
    // Quotes in there are characters like others; spaces at the end are not.
    std::string unquoted(char first) {
        std::string text;
        std::size_t size = 0;
        for (char c = first;; c = take()) {
            const bool is_escaped = c == '\\';
            if (is_escaped && rest_.empty()) break;
            if (is_escaped) c = take();
            if (c == '\n' && !is_escaped) break;
            if (c != '\n') text += c;
            if (is_escaped || kSpace.find(c) == kSpace.npos) size = text.size();
            if (rest_.empty()) break;
        }
        text.resize(size);
        return text;
    }

    std::string_view rest_;
};

}  // namespace

std::map<std::string, std::string> parse_environment_file(std::string_view text) {
    return Reader{text}.read();
}

Result<ServiceEnvironment> read_service_environment(
    const std::filesystem::path& environment_file, bool is_unit
) {
    constexpr std::size_t kBytesMax = 64 * 1024;
    SYNAPSEX_TRY(const auto text, find_small_file(environment_file, kBytesMax));
    return ServiceEnvironment{parse_environment_file(text.value_or("")), is_unit};
}

void take_over(const ServiceEnvironment& service) {
    if (service.is_unit)
        for (const auto* name : kProxyVariables) ::unsetenv(name);
    for (const auto& [name, value] : service.variables) ::setenv(name.c_str(), value.c_str(), 1);
}

}  // namespace synapsex::agent

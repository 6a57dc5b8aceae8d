#pragma once

// One JSON object a line on standard error: `time`, `level`, `message`, the members of the
// enclosing LogScopes (request id, tenant), then the line's own. A name stands once: the line's own
// member replaces a scope's, an inner scope's an outer one's. Empty text is left out. Control
// characters are escaped by JSON itself. Never pass a secret: log its id.
//
// Logging never waits: a line that a full pipe does not take is dropped, and the next one that is
// written comes after a line that says how many were. What is closed takes none.
//
//   log_info("vm enrolled", {{"vmId", vm.text()}, {"packages", 1432}});

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace synapsex {

enum class LogLevel { debug, info, warning, error };

struct LogField {
    using Value = std::variant<std::string, std::int64_t, double, bool>;

    LogField(std::string_view key, bool flag) : name(key), value(flag) {}
    LogField(std::string_view key, double number) : name(key), value(number) {}
    LogField(std::string_view key, std::string_view text) : name(key), value(std::string{text}) {}
    LogField(std::string_view key, const std::string& text) : name(key), value(text) {}
    LogField(std::string_view key, const char* text) : name(key), value(std::string{text}) {}
    template <std::integral T>
        requires(!std::same_as<T, bool>)
    LogField(std::string_view key, T number)
        : name(key), value(static_cast<std::int64_t>(number)) {}

    std::string_view name;  // a literal: camelCase, unit last
    Value value;
};

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
inline void log_debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::debug, message, fields);
}
inline void log_info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::info, message, fields);
}
inline void log_warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::warning, message, fields);
}
inline void log_error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::error, message, fields);
}

// Lines below this level are dropped. Process-wide; set once by main.
void set_log_level(LogLevel level);

// Adds members to every line that this thread logs while the scope lives.
class LogScope {
 public:
    explicit LogScope(std::initializer_list<LogField> fields);
    ~LogScope();
    LogScope(const LogScope&) = delete;
    LogScope& operator=(const LogScope&) = delete;

 private:
    std::size_t count_;
};

// Appends `text` as a JSON string, quotes included. Invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace synapsex

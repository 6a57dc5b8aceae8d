#include "shared/base/log.hpp"

#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdio>

#include <unistd.h>

#include "shared/base/time.hpp"
#include "shared/base/utf8.hpp"

namespace synapsex {

namespace {

std::atomic<LogLevel> lowest_level{LogLevel::info};
thread_local std::vector<LogField> scope_fields;

std::string_view name_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warning: return "warning";
        case LogLevel::error: return "error";
    }
    return "error";
}

template <class Number>
void append_number(std::string& out, Number number) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), end);
}

void append_field(std::string& line, const LogField& field) {
    line += ',';
    append_json_string(line, field.name);
    line += ':';
    if (const auto* text = std::get_if<std::string>(&field.value)) {
        append_json_string(line, *text);
    } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
        append_number(line, *integer);
    } else if (const auto* real = std::get_if<double>(&field.value)) {
        if (std::isfinite(*real)) append_number(line, *real);
        else line += "null";
    } else {
        line += std::get<bool>(field.value) ? "true" : "false";
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const auto size = utf8_sequence_size(text);
        if (size == 0) {
            out += "\xEF\xBF\xBD";
            text.remove_prefix(1);
            continue;
        }
        const char c = text.front();
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            std::array<char, 8> escape{};
            std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
            out += escape.data();
        } else {
            out.append(text.substr(0, size));
        }
        text.remove_prefix(size);
    }
    out += '"';
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    if (level < lowest_level.load(std::memory_order_relaxed)) return;
    std::string line = "{\"time\":\"";
    line += format_rfc3339(SystemClock{}.now());
    line += "\",\"level\":\"";
    line += name_of(level);
    line += "\",\"message\":";
    append_json_string(line, message);
    for (const auto& field : scope_fields) append_field(line, field);
    for (const auto& field : fields) append_field(line, field);
    line += "}\n";
    // One write a line: lines of parallel threads and processes do not mix. A closed or full
    // standard error must not stop the program.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void set_log_level(LogLevel level) { lowest_level.store(level, std::memory_order_relaxed); }

LogScope::LogScope(std::initializer_list<LogField> fields) : count_(fields.size()) {
    scope_fields.insert(scope_fields.end(), fields);
}

LogScope::~LogScope() {
    scope_fields.erase(
        scope_fields.end() - static_cast<std::ptrdiff_t>(count_), scope_fields.end()
    );
}

}  // namespace synapsex

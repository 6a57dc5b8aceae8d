#include "shared/base/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cmath>
#include <cstdio>
#include <mutex>

#include <poll.h>
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
    const auto* text = std::get_if<std::string>(&field.value);
    if (text && text->empty()) return;
    line += ',';
    append_json_string(line, field.name);
    line += ':';
    if (text) {
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

// Standard error, which is inherited: its flags are others' too, so O_NONBLOCK is not for us to
// set. Asked first, a pipe that has room takes up to PIPE_BUF bytes without blocking; the mutex
// keeps our own threads from filling it in between.
class Sink {
 public:
    void write(const std::string& line) {
        const std::lock_guard lock{mutex_};
        if (dropped_ > 0 && put(dropped_line())) dropped_ = 0;
        if (dropped_ > 0 || !put(line)) ++dropped_;
    }

 private:
    std::string dropped_line() const;

    // False: not, or not to its end.
    bool put(std::string line) {
        if (is_cut_) line.insert(0, "\n");
        std::string_view rest = line;
        while (!rest.empty()) {
            const auto bytes = write_some(rest.substr(0, PIPE_BUF));
            if (bytes == 0) return false;
            rest.remove_prefix(bytes);
            is_cut_ = !rest.empty();
        }
        return true;
    }

    // 0: it takes no more now, or never will.
    static std::size_t write_some(std::string_view text) {
        pollfd room{STDERR_FILENO, POLLOUT, 0};
        if (::poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return 0;
        if ((room.revents & (POLLERR | POLLHUP)) != 0) return 0;  // writing would raise SIGPIPE
        const auto bytes = ::write(STDERR_FILENO, text.data(), text.size());
        return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
    }

    std::mutex mutex_;
    bool is_cut_ = false;  // the line written last has no end
    std::uint64_t dropped_ = 0;
};

Sink& sink() {
    // Never destroyed: threads may log while the program ends.
    static Sink& the_sink = *new Sink;
    return the_sink;
}

std::string begin_line(LogLevel level, std::string_view message) {
    std::string line = "{\"time\":\"";
    line += format_rfc3339(SystemClock{}.now());
    line += "\",\"level\":\"";
    line += name_of(level);
    line += "\",\"message\":";
    append_json_string(line, message);
    return line;
}

std::string Sink::dropped_line() const {
    auto line = begin_line(LogLevel::warning, "log lines were dropped");
    append_field(line, {"lines", dropped_});
    return line + "}\n";
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
    auto line = begin_line(level, message);
    for (auto field = scope_fields.begin(); field != scope_fields.end(); ++field) {
        const auto has_its_name = [&](const LogField& inner) { return inner.name == field->name; };
        const bool is_replaced = std::any_of(field + 1, scope_fields.end(), has_its_name) ||
                                 std::any_of(fields.begin(), fields.end(), has_its_name);
        if (!is_replaced) append_field(line, *field);
    }
    for (const auto& field : fields) append_field(line, field);
    line += "}\n";
    sink().write(line);
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

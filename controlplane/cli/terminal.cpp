#include "controlplane/cli/terminal.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <iterator>

#include "controlplane/cli/code_points.hpp"

namespace synapsex::cli {

namespace {

std::string hex(std::uint32_t number, std::size_t digits_min) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (; number != 0 || text.size() < digits_min; number >>= 4)
        text.insert(text.begin(), kDigits[number & 0xF]);
    return text;
}

void append_json_escape(std::string& out, char32_t code_point) {
    if (code_point > 0xFFFF) {  // a surrogate pair, as JSON writes it
        const auto offset = static_cast<std::uint32_t>(code_point) - 0x10000;
        out += "\\u" + hex(0xD800 + (offset >> 10), 4) + "\\u" + hex(0xDC00 + (offset & 0x3FF), 4);
    } else {
        out += "\\u" + hex(static_cast<std::uint32_t>(code_point), 4);
    }
}

std::string_view code_of(Style style) {
    switch (style) {
        case Style::plain: return "";
        case Style::bold: return "1";
        case Style::dim: return "2";
        case Style::good: return "32";
        case Style::warning: return "33";
        case Style::bad: return "31";
        case Style::busy: return "36";
    }
    return "";
}

}  // namespace

std::string escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto step = first_step(text);
        if (!step.code_point)
            out += "\\x" + hex(static_cast<unsigned char>(text.front()), 2);
        else if (*step.code_point == U'\n')
            out += "\\n";
        else if (*step.code_point == U'\t')
            out += "\\t";
        else if (is_unsafe(*step.code_point))
            out += "\\u{" + hex(static_cast<std::uint32_t>(*step.code_point), 1) + "}";
        else
            out += text.substr(0, step.bytes);
        text.remove_prefix(step.bytes);
    }
    return out;
}

std::string escape_json(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    while (!json.empty()) {
        const auto step = first_step(json);
        const char32_t code_point = step.code_point.value_or(0xFFFD);
        const bool is_layout = code_point == U'\n' || code_point == U'\t' || code_point == U'\r';
        if (!step.code_point || (is_unsafe(code_point) && !is_layout))
            append_json_escape(out, code_point);
        else
            out += json.substr(0, step.bytes);
        json.remove_prefix(step.bytes);
    }
    return out;
}

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const auto step = first_step(text);
        columns += step.code_point ? column_count(*step.code_point) : 1;
        text.remove_prefix(step.bytes);
    }
    return columns;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) return std::string{text};
    if (columns == 0) return {};
    std::size_t used = 0;
    std::size_t end = 0;
    while (end < text.size()) {
        const auto step = first_step(text.substr(end));
        const auto width = step.code_point ? column_count(*step.code_point) : 1;
        if (used + width > columns - 1) break;  // one column is the ellipsis'
        used += width;
        end += step.bytes;
    }
    return std::string{text.substr(0, end)} + "…";
}

std::string styled(std::string_view text, Style style, Colors colors) {
    const auto code = code_of(style);
    if (colors == Colors::off || code.empty() || text.empty()) return std::string{text};
    return "\x1b[" + std::string{code} + "m" + std::string{text} + "\x1b[0m";
}

std::string sentence(std::string_view pattern, std::initializer_list<std::string_view> values) {
    std::string out;
    auto value = values.begin();
    while (!pattern.empty()) {
        const auto place = pattern.find("{}");
        out += pattern.substr(0, place);
        if (place == std::string_view::npos) break;
        if (value != values.end()) out += escape(*value++);
        pattern.remove_prefix(place + 2);
    }
    return out;
}

std::string name_in_shell(std::string_view called) {
    if (called.find('/') == std::string_view::npos) return "synapsexctl";
    const auto is_plain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view{"/._-+,@%:="}.find(c) != std::string_view::npos;
    };
    if (std::ranges::all_of(called, is_plain)) return std::string{called};
    std::string quoted = "'";
    for (const char c : called) quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return quoted + "'";
}

}  // namespace synapsex::cli

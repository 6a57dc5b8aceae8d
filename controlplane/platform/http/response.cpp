#include "controlplane/platform/http/response.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "shared/base/log.hpp"

namespace synapsex::http {
namespace {

std::string_view reason_phrase(int status) {
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 422: return "Unprocessable Content";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        default: return "";  // RFC 9112 allows none, and nobody may rely on it
    }
}

void append_number(std::string& out, std::size_t number) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

// A value with a line break would write headers of its own.
bool is_one_line(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    if (!is_one_line(name) || !is_one_line(value)) {
        log_error("response header left out: it holds a line break", {{"bytes", value.size()}});
        return;
    }
    out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

void append_response_head(
    std::string& out,
    const api::Reply& reply,
    Persistence persistence,
    std::string_view fixed_fields
) {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::size_t>(reply.status));
    out.append(" ").append(reason_phrase(reply.status)).append("\r\n");
    out.append(fixed_fields);
    if (!reply.content_type.empty()) append_field(out, "Content-Type", reply.content_type);
    for (const auto& [name, value] : reply.headers) append_field(out, name, value);
    if (reply.status != 204 && reply.status != 304) {
        out.append("Content-Length: ");
        append_number(out, reply.bytes().size());
        out.append("\r\n");
    }
    if (persistence == Persistence::close) out.append("Connection: close\r\n");
    if (persistence == Persistence::keep_http_1_0) out.append("Connection: keep-alive\r\n");
    out.append("\r\n");
}

std::string format_http_date(Timestamp instant) {
    static constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed",
                                                           "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr",
                                                              "May", "Jun", "Jul", "Aug",
                                                              "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(instant);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(instant - day)};
    std::string out{kDays[std::chrono::weekday{day}.c_encoding()]};
    const auto append_two = [&out](std::int64_t number) {
        out += static_cast<char>('0' + number / 10 % 10);
        out += static_cast<char>('0' + number % 10);
    };
    out += ", ";
    append_two(static_cast<unsigned>(date.day()));
    out += ' ';
    out += kMonths[static_cast<unsigned>(date.month()) - 1];
    out += ' ';
    out += std::to_string(static_cast<int>(date.year()));
    out += ' ';
    append_two(time.hours().count());
    out += ':';
    append_two(time.minutes().count());
    out += ':';
    append_two(time.seconds().count());
    return out += " GMT";
}

}  // namespace synapsex::http

// The reader of HTTP requests. However the bytes of a connection come in pieces, they are the same
// request: two readings that differ would be two requests in the same bytes.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "controlplane/platform/http/request_parser.hpp"

using namespace synapsex;

namespace {

constexpr std::size_t kBodyMax = 4096;

struct Reading {
    bool is_complete = false;
    std::size_t taken = 0;
    http::RequestHead head;
    std::string body;
};

// Gives the parser more and more of the text, `step` bytes at a time.
Reading read(std::string_view text, std::size_t step) {
    Reading reading;
    http::RequestParser parser;
    parser.start();
    std::size_t given = 0;
    bool has_head = false;
    while (!has_head && given < text.size()) {
        given = std::min(given + step, text.size());
        const auto parsed = parser.parse_head(text.substr(0, given), reading.head);
        if (!parsed) return reading;
        has_head = *parsed;
    }
    if (!has_head) return reading;
    reading.taken = parser.head_bytes();
    if (!parser.start_body(kBodyMax)) return reading;
    given = std::max(given, reading.taken);
    while (!parser.is_complete()) {
        const auto rest = text.substr(reading.taken, given - reading.taken);
        const auto took = parser.parse_body(rest, reading.body);
        if (!took) return reading;
        if (*took > rest.size() || reading.body.size() > kBodyMax) std::abort();
        reading.taken += *took;
        if (*took > 0 || parser.is_complete()) continue;
        if (given == text.size()) return reading;
        given = std::min(given + step, text.size());
    }
    reading.is_complete = true;
    return reading;
}

bool is_same(const Reading& a, const Reading& b) {
    return a.taken == b.taken && a.body == b.body && a.head.method == b.head.method &&
           a.head.path == b.head.path && a.head.query == b.head.query &&
           a.head.headers == b.head.headers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto whole = read(text, std::max<std::size_t>(size, 1));
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
        const auto pieces = read(text, step);
        // What is not complete may be refused at once or wait for more; neither is a request.
        if (pieces.is_complete != whole.is_complete) std::abort();
        if (whole.is_complete && !is_same(whole, pieces)) std::abort();
    }
    return 0;
}

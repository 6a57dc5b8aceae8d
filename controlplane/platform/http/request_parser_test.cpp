#include "controlplane/platform/http/request_parser.hpp"

#include <gtest/gtest.h>

namespace synapsex::http {
namespace {

struct Message {
    RequestHead head{};
    std::string body{};
    std::string problem{};      // code, or empty
    bool is_complete = false;
    std::size_t bytes = 0;      // how much of the input it took
};

// Feeds `bytes` as a connection would, `piece` bytes at a time.
Message parse(std::string_view bytes, std::size_t piece, std::size_t body_bytes_max = 1024) {
    Message message;
    RequestParser parser;
    std::size_t arrived = 0;
    bool is_head_done = false;
    while (!message.is_complete) {
        arrived = std::min(arrived + piece, bytes.size());
        if (!is_head_done) {
            const auto is_whole = parser.parse_head(bytes.substr(0, arrived), message.head);
            if (!is_whole) return message.problem = is_whole.error().code, message;
            is_head_done = *is_whole;
            message.bytes = parser.head_bytes();
            if (is_head_done && parser.has_body()) {
                const auto limited = parser.start_body(body_bytes_max);
                if (!limited) return message.problem = limited.error().code, message;
            }
        }
        if (is_head_done && parser.has_body() && arrived > message.bytes) {
            const auto unread = bytes.substr(message.bytes, arrived - message.bytes);
            const auto taken = parser.parse_body(unread, message.body);
            if (!taken) return message.problem = taken.error().code, message;
            message.bytes += *taken;
        }
        message.is_complete = is_head_done && parser.is_complete();
        if (arrived == bytes.size()) break;
    }
    return message;
}

constexpr std::size_t kPieces[] = {1, 2, 3, 5, 8, 13, 4096};

TEST(RequestParser, reads_a_request_the_same_however_it_is_cut) {
    constexpr std::string_view kRequest =
        "POST /v1/x?q=1 HTTP/1.1\r\nHost: localhost:80\r\nContent-Length: 4\r\n\r\nbody";
    for (const auto piece : kPieces) {
        const auto message = parse(kRequest, piece);
        EXPECT_TRUE(message.is_complete);
        EXPECT_EQ(message.head.method, "POST");
        EXPECT_EQ(message.head.path, "/v1/x");
        EXPECT_EQ(message.head.query, "q=1");
        EXPECT_EQ(message.body, "body");
        EXPECT_EQ(message.bytes, kRequest.size());
    }
}

TEST(RequestParser, reads_chunks_the_same_however_they_are_cut) {
    const std::pair<std::string_view, std::string_view> bodies[] = {
        {"0\r\n\r\n", ""},
        {"000\r\n\r\n", ""},
        {"1\r\na\r\n0\r\n\r\n", "a"},
        {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
        {"3;name=value\r\nabc\r\n0;x\r\nTrailer: 1\r\nOther: 2\r\n\r\n", "abc"},
        {"4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"},
    };
    for (const auto& [sent, body] : bodies) {
        const auto request =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n" + std::string{sent};
        for (const auto piece : kPieces) {
            const auto message = parse(request, piece);
            EXPECT_TRUE(message.is_complete) << sent << " in pieces of " << piece;
            EXPECT_EQ(message.body, body);
            EXPECT_EQ(message.bytes, request.size());
            EXPECT_EQ(message.head.headers.size(), 2u);  // a trailer never becomes a header
        }
    }
}

TEST(RequestParser, stops_at_the_end_of_one_request) {
    const std::string first = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    const auto message = parse(first + "GET /b HTTP/1.1\r\n", 4096);
    EXPECT_TRUE(message.is_complete);
    EXPECT_EQ(message.head.path, "/a");
    EXPECT_EQ(message.bytes, first.size());
}

struct Attack {
    std::string_view why;
    std::string_view bytes;
};

using namespace std::string_view_literals;

constexpr Attack kAttacks[] = {
    // Line endings.
    {"bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"},
    {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
    {"bare LF in a field", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\nContent-Length: 5\r\n\r\n"},
    {"bare LF ends the header", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
    {"bare CR in a field", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n"},
    {"bare CR ends a line", "GET / HTTP/1.1\rHost: a\r\n\r\n"},
    {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"},
    {"folded field", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"},
    {"folded Transfer-Encoding",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n"},
    {"first field starts with a space", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
    {"two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    // The request line.
    {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"empty target", "GET  HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"trailing space", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
    {"tab between", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"UTF-8 in the target", "GET /\xC3\xA4 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"absolute form", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"authority form", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"no slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"HTTP/0.9", "GET /\r\n\r\n"},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
    {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n"},
    {"method with a colon", "GE:T / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01"sv},
    // Host.
    {"no Host", "GET / HTTP/1.1\r\n\r\n"},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
    {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
    {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
    {"list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
    {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {"Host with a user", "GET / HTTP/1.1\r\nHost: x@a\r\n\r\n"},
    {"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
    // Fields.
    {"space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
    {"space before Content-Length's colon",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\n\r\nbody"},
    {"no colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"},
    {"empty name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"},
    {"NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"sv},
    {"NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: 1\r\n\r\n"sv},
    {"DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7F\r\n\r\n"},
    {"UTF-8 in a name", "GET / HTTP/1.1\r\nHost: a\r\n\xC3\xA4: 1\r\n\r\n"},
    // Length.
    {"length and chunks",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"chunks and length",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"},
    {"length and unknown encoding",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: x\r\n\r\n"},
    {"two lengths",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n"},
    {"two equal lengths",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody"},
    {"list of equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\nbody"},
    {"signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nbody"},
    {"negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"},
    {"hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\nbody"},
    {"empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"},
    {"length beyond 64 bits",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n"},
    // Transfer-Encoding.
    {"two encodings",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
     "\r\n0\r\n\r\n"},
    {"chunked twice",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"},
    {"gzip, chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
    {"chunked, identity",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
    {"identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"},
    {"xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
    {"chunked with a parameter",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"},
    {"vertical tab",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0B" "chunked\r\n\r\n0\r\n\r\n"},
    {"empty encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"},
    {"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
};

TEST(RequestParser, refuses_heads_that_two_parsers_could_read_differently) {
    for (const auto& attack : kAttacks)
        for (const auto piece : kPieces)
            EXPECT_EQ(parse(attack.bytes, piece).problem, "request.malformed") << attack.why;
}

constexpr Attack kChunkAttacks[] = {
    {"no size", "\r\nbody\r\n0\r\n\r\n"},
    {"negative size", "-1\r\n\r\n0\r\n\r\n"},
    {"signed size", "+4\r\nbody\r\n0\r\n\r\n"},
    {"0x", "0x4\r\nbody\r\n0\r\n\r\n"},
    {"space before the size", " 4\r\nbody\r\n0\r\n\r\n"},
    {"space after the size", "4 \r\nbody\r\n0\r\n\r\n"},
    {"bare LF after the size", "4\nbody\r\n0\r\n\r\n"},
    {"bare CR after the size", "4\rbody\r\n0\r\n\r\n"},
    {"bare LF after the data", "4\r\nbody\n0\r\n\r\n"},
    {"nothing after the data", "4\r\nbody0\r\n\r\n"},
    {"data longer than its size", "3\r\nbody\r\n0\r\n\r\n"},
    {"bare LF in a quoted extension", "4;a=\"\n\"\r\nbody\r\n0\r\n\r\n"},
    {"bare LF in an extension", "4;a\nb\r\nbody\r\n0\r\n\r\n"},
    {"bare LF in the last extension", "0;a=\"\n\"\r\n\r\n"},
    {"CR LF in a quoted extension", "4;a=\"\r\n\"\r\nbody\r\n0\r\n\r\n"},
    {"size beyond 64 bits", "10000000000000004\r\nbody\r\n0\r\n\r\n"},
    {"bare LF in the trailer", "0\r\nX: 1\nY: 2\r\n\r\n"},
    {"length in the trailer", "0\r\nContent-Length: 5\r\n\r\n"},
    {"encoding in the trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n"},
};

TEST(RequestParser, refuses_chunks_that_two_parsers_could_read_differently) {
    for (const auto& attack : kChunkAttacks) {
        const auto request =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
            std::string{attack.bytes};
        for (const auto piece : kPieces)
            EXPECT_EQ(parse(request, piece).problem, "request.malformed")
                << attack.why << " in pieces of " << piece;
    }
}

TEST(RequestParser, limits_bodies_by_announcement_and_by_count) {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
    EXPECT_EQ(parse(head + "Content-Length: 4\r\n\r\nbody", 1, 4).body, "body");
    EXPECT_EQ(parse(head + "Content-Length: 5\r\n\r\n", 1, 4).problem, "request.body_too_large");
    const auto chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(parse(chunked + "2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n", 1, 4).body, "body");
    EXPECT_EQ(
        parse(chunked + "2\r\nbo\r\n3\r\ndy!\r\n0\r\n\r\n", 1, 4).problem, "request.body_too_large"
    );
    EXPECT_EQ(parse(chunked + "fffffffffffffff\r\n", 1, 4).problem, "request.body_too_large");
}

TEST(RequestParser, tells_what_the_connection_is_to_do) {
    RequestParser parser;
    RequestHead head;
    const auto read = [&](std::string_view bytes) {
        parser.start();
        const auto is_whole = parser.parse_head(bytes, head);
        ASSERT_TRUE(is_whole && *is_whole);
    };
    read("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(parser.keeps_alive());
    EXPECT_FALSE(parser.has_body());
    read("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n");
    EXPECT_FALSE(parser.keeps_alive());
    read("GET / HTTP/1.0\r\n\r\n");
    EXPECT_FALSE(parser.keeps_alive());
    EXPECT_TRUE(parser.is_http_1_0());
    read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-Continue\r\n\r\n");
    EXPECT_FALSE(parser.has_body());
    EXPECT_TRUE(parser.expects_continue());
    read("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_FALSE(parser.expects_continue());  // RFC 9110, 10.1.1: not from HTTP/1.0
    EXPECT_EQ(parser.content_length(), 1u);
}

}  // namespace
}  // namespace synapsex::http

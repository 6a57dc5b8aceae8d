#include "controlplane/platform/http/response.hpp"

#include <gtest/gtest.h>

namespace synapsex::http {
namespace {

std::string head_of(const api::Reply& reply, Persistence persistence = Persistence::keep) {
    std::string out;
    append_response_head(out, reply, persistence, "Server: synapsex\r\n");
    return out;
}

TEST(ResponseHead, says_status_type_length_and_own_headers) {
    const api::Reply reply{
        .status = 201, .content_type = "text/plain", .body = "four", .headers = {{"Location", "/x"}}
    };
    EXPECT_EQ(
        head_of(reply),
        "HTTP/1.1 201 Created\r\nServer: synapsex\r\nContent-Type: text/plain\r\n"
        "Location: /x\r\nContent-Length: 4\r\n\r\n"
    );
}

TEST(ResponseHead, counts_the_bytes_that_are_sent_in_place_of_a_body) {
    static constexpr std::string_view kFile = "a file";
    const api::Reply reply{.body = "not this", .lasting_body = kFile};
    EXPECT_NE(head_of(reply).find("Content-Length: 6\r\n"), std::string::npos);
    EXPECT_EQ(reply.bytes().data(), kFile.data());
}

TEST(ResponseHead, says_when_the_connection_closes_or_an_old_client_may_keep_it) {
    EXPECT_TRUE(head_of({}, Persistence::close).ends_with("\r\nConnection: close\r\n\r\n"));
    EXPECT_TRUE(
        head_of({}, Persistence::keep_http_1_0).ends_with("\r\nConnection: keep-alive\r\n\r\n")
    );
}

TEST(ResponseHead, needs_no_reason_phrase) {
    EXPECT_TRUE(head_of({.status = 299}).starts_with("HTTP/1.1 299 \r\n"));
}

TEST(HttpDate, is_the_imf_fixdate_of_the_standard) {
    const auto format = [](std::string_view instant) {
        return format_http_date(*parse_rfc3339(instant));
    };
    EXPECT_EQ(format("1994-11-06T08:49:37Z"), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(format("2024-02-29T23:59:59.999999Z"), "Thu, 29 Feb 2024 23:59:59 GMT");
    EXPECT_EQ(format("2027-01-01T00:00:00Z"), "Fri, 01 Jan 2027 00:00:00 GMT");
}

}  // namespace
}  // namespace synapsex::http

#include "agent/executor/protocol.hpp"

#include <gtest/gtest.h>

namespace synapsex::executor {
namespace {

using State = FrameReader::State;

TEST(Protocol, carries_requests_and_answers) {
    for (const auto verb : {Verb::status, Verb::restart_worker})
        EXPECT_EQ(decode_request(encode_request(verb)), verb);
    const Answer answer{
        .status = Status{
            .version = "0.1.0",
            .pid = 12,
            .started_at_us = 34,
            .is_privileged = true,
            .worker_pid = 56,
            .worker_restarts = 7,
        },
    };
    EXPECT_EQ(decode_answer(encode_answer(answer)), answer);
    const Answer refusal{.error_code = "executor.worker_unknown", .error_detail = "Gone."};
    EXPECT_EQ(decode_answer(encode_answer(refusal)), refusal);
}

TEST(Protocol, refuses_garbage_and_verbs_of_tomorrow) {
    EXPECT_EQ(decode_request("\xFF\xFF\xFF"), std::nullopt);
    EXPECT_EQ(decode_request(""), std::nullopt);
    EXPECT_EQ(decode_request(std::string_view{"\x7A\x00", 2}), std::nullopt);  // field 15
}

TEST(FrameReader, puts_a_frame_together_from_single_bytes) {
    const auto frame = make_frame(std::string(300, 'x'));
    FrameReader reader;
    for (std::size_t i = 0; i + 1 < frame.size(); ++i)
        ASSERT_EQ(reader.add(std::string_view{frame}.substr(i, 1)), State::incomplete);
    EXPECT_EQ(reader.add(std::string_view{frame}.substr(frame.size() - 1)), State::complete);
    EXPECT_EQ(reader.message(), std::string(300, 'x'));
}

TEST(FrameReader, ignores_what_follows_the_frame) {
    FrameReader reader;
    EXPECT_EQ(reader.add(make_frame("one") + "and more"), State::complete);
    EXPECT_EQ(reader.message(), "one");
}

TEST(FrameReader, takes_an_empty_message_and_refuses_one_byte_too_many) {
    EXPECT_EQ(FrameReader{}.add(make_frame("")), State::complete);
    EXPECT_EQ(FrameReader{}.add(make_frame(std::string(kFrameBytesMax, 'x'))), State::complete);
    EXPECT_EQ(FrameReader{}.add(std::string_view{"\x01\x00\x01\x00", 4}), State::too_large);
    EXPECT_EQ(FrameReader{}.add("\xFF\xFF\xFF\xFF"), State::too_large);
}

}  // namespace
}  // namespace synapsex::executor

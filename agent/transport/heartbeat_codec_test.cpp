#include "agent/transport/heartbeat_codec.hpp"

#include <gtest/gtest.h>

#include "agent/v1/agent.pb.h"

namespace synapsex::agent {
namespace {

TEST(HeartbeatCodec, carries_every_member) {
    v1::TelemetrySample sample;
    sample.set_slot(7);
    const auto bytes = encode_heartbeat({
        .sequence = 3,
        .boot_id = "boot",
        .agent_version = "0.1.0",
        .capabilities = {1, 2},
        .hold = std::chrono::seconds{55},
        .hashes = {{"os", "hash"}},
        .telemetry = {{7, sample.SerializeAsString()}, {8, "\xFF\xFF damaged"}},
        .spool_dropped_samples = 9,
        .goodbye = "stopping",
        .server_incarnation = "inc",
        .executor = "ok",
        .pause = PauseNotice{from_micros(5), from_micros(7), "disk swap"},
    });
    v1::HeartbeatRequest message;
    ASSERT_TRUE(message.ParseFromString(bytes));
    EXPECT_EQ(message.sequence(), 3U);
    EXPECT_EQ(message.boot_id(), "boot");
    EXPECT_EQ(message.agent_version(), "0.1.0");
    EXPECT_EQ(message.capabilities_size(), 2);
    EXPECT_EQ(message.hold_seconds(), 55U);
    EXPECT_EQ(message.hashes(0).section(), "os");
    EXPECT_EQ(message.hashes(0).hash(), "hash");
    ASSERT_EQ(message.telemetry_size(), 1) << "the damaged row is left out";
    EXPECT_EQ(message.telemetry(0).slot(), 7);
    EXPECT_EQ(message.spool_dropped_samples(), 9U);
    EXPECT_EQ(message.goodbye(), "stopping");
    EXPECT_EQ(message.server_incarnation(), "inc");
    EXPECT_EQ(message.executor(), "ok");
    EXPECT_EQ(message.pause().since_us(), 5);
    EXPECT_EQ(message.pause().until_us(), 7);
    EXPECT_EQ(message.pause().reason(), "disk swap");
}

TEST(HeartbeatCodec, reads_every_member_of_the_answer_and_tames_its_instants) {
    v1::HeartbeatAnswer message;
    message.set_server_time_us(-5);
    message.set_server_incarnation("inc");
    message.set_stored_through_slot(12);
    message.add_want_sections("os");
    message.set_next_after_ms(250);
    message.set_hold_seconds(30);
    message.set_live_until_us(INT64_MAX);
    message.set_reason("news");
    const auto answer = decode_heartbeat_answer(message.SerializeAsString());
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->server_time, Timestamp{});
    EXPECT_EQ(answer->server_incarnation, "inc");
    EXPECT_EQ(answer->stored_through_slot, 12);
    EXPECT_EQ(answer->want_sections, std::vector<std::string>{"os"});
    EXPECT_EQ(answer->next_after, std::chrono::milliseconds{250});
    EXPECT_EQ(answer->hold_max, std::chrono::seconds{30});
    EXPECT_LT(answer->live_until, *parse_rfc3339("9999-12-31T23:59:59.5Z"));
    EXPECT_EQ(answer->reason, "news");
}

TEST(HeartbeatCodec, refuses_garbage) {
    EXPECT_FALSE(decode_heartbeat_answer("<html>a captive portal</html>"));
}

}  // namespace
}  // namespace synapsex::agent

#include <gtest/gtest.h>

#include <limits>

#include "agent/v1/agent.pb.h"
#include "controlplane/services/agent_registry/api.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::agent_registry {
namespace {

namespace pb = agent::v1;

TEST(HeartbeatCodec, brings_every_field_across_and_back) {
    Heartbeat sent;
    sent.sequence = 7;
    sent.boot_id = "boot";
    sent.agent_version = "0.1.0";
    sent.capabilities = {1, 2, 4};
    sent.hold_seconds = 55;
    sent.hashes = {{SectionName::packages, {"abc"}}};
    // Each field of a sample another number, so that none can stand in for its neighbour.
    vm_registry::TelemetrySample sample;
    std::int64_t number = 10;
    for_each_member<vm_registry::TelemetrySample>([&](auto, auto, auto member) {
        sample.*member = number++;
    });
    sent.telemetry = {sample};
    sent.spool_dropped_samples = 3;
    sent.goodbye = "stopping";
    sent.server_incarnation = "inc";
    sent.executor = "ok";
    sent.pause = VmPause{
        from_micros(1'767'323'045'000'001), from_micros(1'767'330'245'000'000), "disk swap"
    };

    std::string bytes;
    api::ProtobufCodec<Heartbeat>::encode(sent, bytes);
    Heartbeat read;
    ASSERT_TRUE(api::ProtobufCodec<Heartbeat>::decode(bytes, read));
    std::string sent_json;
    std::string read_json;
    api::Codec<Heartbeat>::write_json(sent, sent_json);
    api::Codec<Heartbeat>::write_json(read, read_json);
    EXPECT_EQ(read_json, sent_json);
}

TEST(HeartbeatCodec, a_pause_of_no_year_is_one_of_the_nearest) {
    Heartbeat sent;
    sent.pause = VmPause{
        from_micros(std::numeric_limits<std::int64_t>::min()),
        from_micros(std::numeric_limits<std::int64_t>::max()), ""
    };
    std::string bytes;
    api::ProtobufCodec<Heartbeat>::encode(sent, bytes);
    Heartbeat read;
    ASSERT_TRUE(api::ProtobufCodec<Heartbeat>::decode(bytes, read));
    EXPECT_EQ(read.pause->since, kInstantMin);
    EXPECT_EQ(read.pause->until, kInstantMax);
    read.agent_id = *AgentId::parse("agt_01jgjz2m1xq3v5n8b7w6t4r2e0");
    EXPECT_TRUE(api::Codec<Heartbeat>::check(read));
}

TEST(HeartbeatAnswerCodec, brings_every_field_across_and_back) {
    HeartbeatAnswer sent;
    sent.server_time = from_micros(1'767'323'045'000'001);
    sent.server_incarnation = "inc";
    sent.stored_through_slot = 117'821'536;
    sent.want_sections = {SectionName::os, SectionName::disks};
    sent.next_after_ms = 250;
    sent.hold_seconds = 55;
    sent.live_until = from_micros(1'767'323'105'000'000);
    sent.reason = "news";
    std::string bytes;
    api::ProtobufCodec<HeartbeatAnswer>::encode(sent, bytes);
    HeartbeatAnswer read;
    ASSERT_TRUE(api::ProtobufCodec<HeartbeatAnswer>::decode(bytes, read));
    std::string sent_json;
    std::string read_json;
    api::Codec<HeartbeatAnswer>::write_json(sent, sent_json);
    api::Codec<HeartbeatAnswer>::write_json(read, read_json);
    EXPECT_EQ(read_json, sent_json);
}

TEST(InventoryCodec, takes_the_section_that_is_there) {
    pb::InventorySection message;
    message.set_truncated(true);
    auto& disk = *message.mutable_disks()->add_disks();
    disk.set_name("vda");
    disk.set_size_bytes(std::numeric_limits<std::uint64_t>::max());
    InventoryContent inventory;
    ASSERT_TRUE(
        api::ProtobufCodec<InventoryContent>::decode(message.SerializeAsString(), inventory)
    );
    EXPECT_TRUE(inventory.truncated);
    EXPECT_FALSE(inventory.os);
    ASSERT_EQ(inventory.disks->disks.size(), 1U);
    EXPECT_EQ(inventory.disks->disks[0].size_bytes, std::numeric_limits<std::int64_t>::max());
}

TEST(InventoryCodec, takes_what_is_signed_as_it_is) {
    pb::SignedSection message;
    message.set_content(std::string("\0\xFF", 2));
    message.set_signed_at_us(7);
    message.set_key_id("kkkkkkkkkkkkkkkk");
    message.set_signature("s");
    PutInventory inventory;
    ASSERT_TRUE(
        api::ProtobufCodec<PutInventory>::decode(message.SerializeAsString(), inventory)
    );
    EXPECT_EQ(inventory.content.value, "AP8");
    EXPECT_EQ(inventory.signed_at, from_micros(7));
    EXPECT_EQ(inventory.key_id.value, "kkkkkkkkkkkkkkkk");
    EXPECT_EQ(inventory.signature.value, "cw");
}

TEST(InventoryCodec, refuses_bytes_that_are_no_message) {
    PutInventory inventory;
    EXPECT_EQ(
        api::ProtobufCodec<PutInventory>::decode("\xFF\xFF", inventory).error().code,
        "request.malformed"
    );
    InventoryContent content;
    EXPECT_EQ(
        api::ProtobufCodec<InventoryContent>::decode("\xFF\xFF", content).error().code,
        "request.malformed"
    );
}

TEST(HeartbeatCodec, ignores_sections_of_a_newer_agent) {
    pb::HeartbeatRequest message;
    message.add_hashes()->set_section("quantum_devices");
    auto& known = *message.add_hashes();
    known.set_section("os");
    known.set_hash("h");
    Heartbeat heartbeat;
    ASSERT_TRUE(api::ProtobufCodec<Heartbeat>::decode(message.SerializeAsString(), heartbeat));
    ASSERT_EQ(heartbeat.hashes.size(), 1U);
    EXPECT_EQ(heartbeat.hashes[0].section, SectionName::os);
}

TEST(HeartbeatCodec, refuses_text_that_is_no_utf8) {
    // Field 2, boot_id, of one byte that starts no code point.
    Heartbeat heartbeat;
    EXPECT_EQ(
        api::ProtobufCodec<Heartbeat>::decode("\x12\x01\xFF", heartbeat).error().code,
        "request.malformed"
    );
}

TEST(HeartbeatCodec, random_bytes_end_in_a_message_or_a_problem) {
    testing::SeededRandom random;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes(random.below(200), '\0');
        random.fill(std::as_writable_bytes(std::span{bytes.data(), bytes.size()}));
        Heartbeat heartbeat;
        const auto read = api::ProtobufCodec<Heartbeat>::decode(bytes, heartbeat);
        if (!read) {
            EXPECT_EQ(read.error().code, "request.malformed");
        }
    }
}

}  // namespace
}  // namespace synapsex::agent_registry

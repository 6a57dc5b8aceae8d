// What an agent may send, held against the routes: as a broken or malicious agent would send it.

#include <zlib.h>

#include <limits>

#include "agent/v1/agent.pb.h"
#include "controlplane/platform/api/gzip.hpp"
#include "controlplane/services/agent_registry/agent_registry_fixture.hpp"
#include "controlplane/services/agent_registry/routes.hpp"

namespace synapsex::agent_registry {
namespace {

namespace pb = agent::v1;
using ::testing::HasSubstr;

constexpr std::size_t kUnpackedBytesMax = 1024 * 1024;

std::string gzip(const std::string& bytes) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 31, 8, 0), Z_OK);
    std::string packed(deflateBound(&stream, bytes.size()), '\0');
    std::string input = bytes;
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

class LimitsTest : public AgentRegistryTest {
 protected:
    LimitsTest() { mount_routes(router, enrollment, heartbeats, agents, keys, inventory); }

    api::Reply send(
        std::string_view method, const std::string& path, std::string body,
        std::string media_type = "application/x-protobuf"
    ) {
        const auto match = router.find(method, "/v1/agents/" + agent.agent_id.text() + path);
        const api::RequestParts parts{
            match.path_parameters, {}, std::move(media_type), std::move(body)
        };
        const auto call = call_of(tenant, agent.agent_id);
        return std::get<api::Reply>(match.route->handle(call, parts));
    }
    // What goes over the network.
    std::string signed_bytes(const std::string& section, const pb::InventorySection& message) {
        const auto content = message.SerializeAsString();
        const auto wish =
            sign_section(agent.agent_id, key, *parse_enum<SectionName>(section), content);
        pb::SignedSection packed;
        packed.set_content(content);
        packed.set_signed_at_us(to_micros(wish.signed_at));
        packed.set_key_id(wish.key_id.value);
        packed.set_signature(crypto::from_base64url(wish.signature.value).value());
        return packed.SerializeAsString();
    }
    api::Reply put(const std::string& section, const pb::InventorySection& message) {
        return send("PUT", "/inventory/" + section, signed_bytes(section, message));
    }
    void expect_refused(const api::Reply& reply, const std::string& pointer, const char* code) {
        EXPECT_EQ(reply.status, 400);
        EXPECT_THAT(reply.body, HasSubstr(R"("code":"request.invalid")"));
        EXPECT_THAT(
            reply.body, HasSubstr(R"({"pointer":")" + pointer + R"(","code":")" + code + "\"")
        );
        EXPECT_TRUE(vms.sections.empty());
    }

    api::Router router;
    crypto::Ed25519Key key = crypto::Ed25519Key::generate(random);
    Enrolled agent = enroll_with(key);
};

TEST_F(LimitsTest, a_nul_in_a_text_is_refused) {
    const std::string text("web\0-1", 6);
    pb::InventorySection hostname;
    hostname.mutable_os()->set_hostname(text);
    expect_refused(put("os", hostname), "/os/hostname", "nul");
    pb::InventorySection pretty_name;
    pretty_name.mutable_os()->set_pretty_name(text);
    expect_refused(put("os", pretty_name), "/os/prettyName", "nul");
}

TEST_F(LimitsTest, an_instant_of_no_year_is_refused) {
    for (const auto micros :
         {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
        pb::InventorySection message;
        message.mutable_os()->set_booted_at_us(micros);
        expect_refused(put("os", message), "/os/bootedAt", "not_an_instant");
    }
}

TEST_F(LimitsTest, a_text_that_is_too_long_is_refused) {
    pb::InventorySection kernel;
    kernel.mutable_os()->set_kernel_release(std::string(5000, 'x'));
    expect_refused(put("os", kernel), "/os/kernelRelease", "too_long");
    pb::InventorySection filesystem;
    filesystem.mutable_filesystems()->add_filesystems();
    filesystem.mutable_filesystems()->add_filesystems()->set_device(std::string(70'000, 'x'));
    expect_refused(
        put("filesystems", filesystem), "/filesystems/filesystems/1/device", "too_long"
    );
}

TEST_F(LimitsTest, lists_that_are_too_long_are_refused) {
    pb::InventorySection packages;
    for (int i = 0; i < 10'001; ++i) packages.mutable_packages()->add_packages();
    expect_refused(put("packages", packages), "/packages/packages", "too_many_items");
    pb::InventorySection disks;
    for (int i = 0; i < 257; ++i) disks.mutable_disks()->add_disks();
    expect_refused(put("disks", disks), "/disks/disks", "too_many_items");
    pb::InventorySection network;
    network.mutable_network()->add_interfaces();
    auto& interface = *network.mutable_network()->add_interfaces();
    for (int i = 0; i < 65; ++i) interface.add_addresses("");
    expect_refused(
        put("network", network), "/network/interfaces/1/addresses", "too_many_items"
    );
}

TEST_F(LimitsTest, half_a_million_empty_packages_of_a_kilobyte_are_refused) {
    pb::InventorySection message;
    for (int i = 0; i < 500'000; ++i) message.mutable_packages()->add_packages();
    const auto packed = gzip(signed_bytes("packages", message));
    EXPECT_LT(packed.size(), 4096U);
    const auto reply =
        send("PUT", "/inventory/packages", api::gunzip(packed, kUnpackedBytesMax).value());
    expect_refused(reply, "/packages/packages", "too_many_items");
}

TEST_F(LimitsTest, five_thousand_packages_that_hardly_compress_are_taken) {
    pb::InventorySection message;
    for (int i = 0; i < 5000; ++i) {
        auto& package = *message.mutable_packages()->add_packages();
        package.set_name(random.base62(40));
        package.set_version(random.base62(40));
        package.set_architecture("amd64");
    }
    const auto packed = gzip(signed_bytes("packages", message));
    const auto match =
        router.find("PUT", "/v1/agents/" + agent.agent_id.text() + "/inventory/packages");
    EXPECT_GT(packed.size(), 256U * 1024);
    EXPECT_LE(packed.size(), match.route->operation.body_bytes_max);
    const auto reply =
        send("PUT", "/inventory/packages", api::gunzip(packed, kUnpackedBytesMax).value());
    EXPECT_EQ(reply.status, 204) << reply.body;
    ASSERT_EQ(vms.sections.size(), 1U);
    const auto& stored = std::get<vm_registry::Packages>(vms.sections[0].body);
    EXPECT_EQ(stored.packages.size(), 5000U);
}

TEST_F(LimitsTest, json_has_the_limits_of_protobuf) {
    const auto body = R"({"sequence":1,"goodbye":")" + std::string(5, 'x') + R"(\u0000"})";
    const auto reply = send("POST", "/heartbeat", body, "application/json");
    EXPECT_EQ(reply.status, 400);
    EXPECT_THAT(reply.body, HasSubstr(R"({"pointer":"/goodbye","code":"nul")"));
}

TEST_F(LimitsTest, a_heartbeat_of_too_many_samples_hashes_or_capabilities_is_refused) {
    pb::HeartbeatRequest samples;
    for (int i = 0; i < 1001; ++i) samples.add_telemetry();
    expect_refused(
        send("POST", "/heartbeat", samples.SerializeAsString()), "/telemetry", "too_many_items"
    );
    pb::HeartbeatRequest hashes;
    for (int i = 0; i < 65; ++i) hashes.add_hashes();
    expect_refused(
        send("POST", "/heartbeat", hashes.SerializeAsString()), "/hashes", "too_many_items"
    );
    pb::HeartbeatRequest capabilities;
    for (int i = 0; i < 65; ++i) capabilities.add_capabilities(1);
    expect_refused(
        send("POST", "/heartbeat", capabilities.SerializeAsString()), "/capabilities",
        "too_many_items"
    );
    EXPECT_TRUE(vms.slots.empty());
}

TEST_F(LimitsTest, a_nul_in_a_heartbeat_is_refused) {
    pb::HeartbeatRequest message;
    message.set_boot_id(std::string("a\0b", 3));
    expect_refused(send("POST", "/heartbeat", message.SerializeAsString()), "/bootId", "nul");
}

}  // namespace
}  // namespace synapsex::agent_registry

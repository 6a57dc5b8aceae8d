#include "controlplane/services/vm_registry/service.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "controlplane/services/vm_registry/vm_registry_fixture.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::vm_registry {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

TEST_F(VmRegistryTest, every_query_is_understood_by_the_engine) {
    EXPECT_NO_THROW(database->prepare_all(VmStore::queries()));
}

TEST_F(VmRegistryTest, making_a_vm_twice_makes_one) {
    const auto vm = make_vm("web-1");
    EXPECT_TRUE(vms.create_vm(call(), {tenant, vm, AgentId::derived_from(vm), "other"}));
    const auto page = vms.list(call(), {}).value();
    ASSERT_EQ(page.items.size(), 1U);
    EXPECT_EQ(page.items[0].name, "web-1");
    EXPECT_EQ(page.items[0].state, State::unknown);
    EXPECT_FALSE(page.items[0].latest);
}

TEST_F(VmRegistryTest, another_tenant_sees_nothing_of_a_vm) {
    const auto vm = make_vm("web-1");
    store(vm, {sample_at(this_slot())}).value();
    const auto other = call_of(stranger);
    EXPECT_TRUE(vms.list(other, {}).value().items.empty());
    EXPECT_EQ(vms.get(other, {vm}).error().code, "vms.not_found");
    EXPECT_EQ(vms.list_packages(other, {.vm_id = vm}).error().code, "vms.not_found");
    EXPECT_EQ(vms.read_telemetry(other, {.vm_id = vm}).error().code, "vms.not_found");
    EXPECT_EQ(vms.watch(other, {.vm_id = vm}).error().code, "vms.not_found");
    EXPECT_EQ(
        vms.store_samples(other, stranger, vm, std::vector{sample_at(this_slot())}).error().code,
        "vms.not_found"
    );
}

TEST_F(VmRegistryTest, lists_page_by_page_while_vms_come_and_go) {
    std::vector<std::string> made;
    for (int i = 0; i < 7; ++i) made.push_back(make_vm("vm-" + std::to_string(i)).text());
    ListVms wish;
    wish.limit.value.value = 3;
    std::vector<std::string> seen;
    for (int i = 0; i < 3; ++i) {
        const auto page = vms.list(call(), wish).value();
        for (const auto& vm : page.items) seen.push_back(vm.id.text());
        if (!page.next_cursor) break;
        wish.cursor = api::Cursor{*page.next_cursor};
        vms.delete_vm(call(), tenant, page.items[0].id).value();
    }
    EXPECT_EQ(seen, made);
}

TEST_F(VmRegistryTest, a_cursor_that_no_list_has_given_is_refused) {
    const auto vm = make_vm("web-1");
    for (const auto& bad : {std::string{"*"}, std::string{"foo"}, api::encode_cursor("x")}) {
        const api::Cursor cursor{bad};
        const auto vm_page = vms.list(call(), {.cursor = cursor});
        const auto package_page = vms.list_packages(call(), {.vm_id = vm, .cursor = cursor});
        ASSERT_FALSE(vm_page) << bad;
        EXPECT_EQ(vm_page.error().code, "request.cursor_invalid");
        ASSERT_FALSE(package_page) << bad;
        EXPECT_EQ(package_page.error().code, "request.cursor_invalid");
    }
}

TEST_F(VmRegistryTest, lists_by_state_and_name) {
    const auto first = make_vm("web-1");
    make_vm("web-2");
    vms.set_presence(call(), std::vector{Presence{tenant, first, State::online, clock.now()}})
        .value();
    const auto online = vms.list(call(), {.state = State::online}).value();
    ASSERT_EQ(online.items.size(), 1U);
    EXPECT_EQ(online.items[0].last_seen_at, clock.now());
    EXPECT_EQ(vms.list(call(), {.name = Text<1, 100>{"web-2"}}).value().items.size(), 1U);
    EXPECT_TRUE(vms.list(call(), {.name = Text<1, 100>{"web-"}}).value().items.empty());
}

TEST_F(VmRegistryTest, what_a_replica_tells_late_changes_no_state) {
    const auto vm = make_vm("web-1");
    const auto tell = [&](State state, std::optional<Timestamp> last_seen_at) {
        vms.set_presence(call(), std::vector{Presence{tenant, vm, state, last_seen_at}}).value();
        return vms.get(call(), {vm}).value().state;
    };
    const auto century = std::chrono::hours{24 * 365 * 100};
    EXPECT_EQ(tell(State::unknown, std::nullopt), State::unknown);
    EXPECT_EQ(tell(State::online, clock.now()), State::online);
    EXPECT_EQ(tell(State::late, clock.now() - 1s), State::online);
    EXPECT_EQ(tell(State::unknown, std::nullopt), State::online);
    EXPECT_EQ(tell(State::late, clock.now()), State::late);
    // A clock that was wrong keeps nothing from being told.
    EXPECT_EQ(tell(State::online, clock.now() + century), State::online);
    EXPECT_EQ(tell(State::late, clock.now() + 1s), State::late);
}

TEST_F(VmRegistryTest, a_section_that_cannot_be_read_hides_no_other) {
    const auto vm = make_vm("web-1");
    Cpu cpu;
    cpu.threads = 4;
    vms.put_section(call(), tenant, vm, {SectionName::cpu, "h1", false, cpu}).value();
    const auto break_section = [&](SectionName name, const std::string& body) {
        const SectionRow row{name, "h2", false, clock.now()};
        database.in_write([&](db::Session& s) { VmStore{s}.put_section(tenant, vm, row, body); });
    };
    break_section(SectionName::os, R"({"hostname":"a\u0000b"})");
    break_section(SectionName::disks, "{");
    break_section(SectionName::filesystems, "{}");
    break_section(SectionName::network, "[]");
    break_section(SectionName::packages, R"({"manager":7})");
    const auto shown = vms.get(call(), {vm}).value();
    EXPECT_EQ(shown.reported.cpu->threads, 4);
    EXPECT_FALSE(shown.reported.os);
    EXPECT_TRUE(shown.reported.disks.empty());
    EXPECT_EQ(shown.reported.sections.size(), 6U);
    EXPECT_TRUE(vms.list_packages(call(), {.vm_id = vm}).value().items.empty());
}

TEST_F(VmRegistryTest, sizes_of_disks_beyond_all_numbers_add_up_to_the_largest) {
    const auto vm = make_vm("web-1");
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    Disks disks;
    for (const auto size : {std::int64_t{10}, kMax, kMax, std::int64_t{-5}})
        disks.disks.push_back({{"vda"}, size, {""}, false, false});
    vms.put_section(call(), tenant, vm, {SectionName::disks, "h", false, disks}).value();
    EXPECT_EQ(vms.get(call(), {vm}).value().disk_total_bytes, kMax);
}

TEST_F(VmRegistryTest, sections_come_back_and_fill_the_list) {
    const auto vm = make_vm("web-1");
    Os os;
    os.pretty_name = {"Debian GNU/Linux 12 (bookworm)"};
    os.kernel_release = {"6.1.0"};
    os.booted_at = clock.now();
    Packages packages{"dpkg", {{"zlib1g", "1.2", "amd64"}, {"bash", "5.2", "amd64"}}};
    vms.put_section(call(), tenant, vm, {SectionName::os, "h1", false, os}).value();
    vms.put_section(call(), tenant, vm, {SectionName::packages, "h2", true, packages}).value();
    vms.put_section(
           call(),
           tenant,
           vm,
           {SectionName::disks,
            "h3",
            false,
            Disks{{{"vda", 10, "", false, false}, {"vdb", 5, "", true, false}}}}
    ).value();

    const auto shown = vms.get(call(), {vm}).value();
    EXPECT_EQ(shown.os, "Debian GNU/Linux 12 (bookworm)");
    EXPECT_EQ(shown.kernel, "6.1.0");
    EXPECT_EQ(shown.packages, 2);
    EXPECT_EQ(shown.disk_total_bytes, 15);
    EXPECT_EQ(shown.reported.os->booted_at, clock.now());
    ASSERT_EQ(shown.reported.disks.size(), 2U);
    EXPECT_TRUE(shown.reported.disks[1].rotational);
    EXPECT_EQ(shown.reported.sections.size(), 3U);
    EXPECT_THAT(
        vms.section_hashes(call(), tenant, vm).value(),
        ElementsAre(
            std::pair{std::string{"disks"}, std::string{"h3"}},
            std::pair{std::string{"os"}, std::string{"h1"}},
            std::pair{std::string{"packages"}, std::string{"h2"}}
        )
    );
}

TEST_F(VmRegistryTest, a_section_is_shown_as_it_was_signed) {
    const auto vm = make_vm("web-1");
    const auto key = crypto::Ed25519Key::generate(random);
    const std::string content("\x12\0", 2);
    const SectionSignature signature{content, clock.now(), key.public_key(), std::string(64, 's')};
    ASSERT_TRUE(
        vms.put_section(call(), tenant, vm, {SectionName::cpu, "h", false, Cpu{}, signature})
    );

    const auto shown = vms.get(call(), {vm}).value();
    EXPECT_EQ(shown.reported.sections.at(0).signed_at, clock.now());
    EXPECT_EQ(shown.reported.sections.at(0).key_id, key.key_id());
    const auto proof = vms.signed_section(call(), {vm, SectionName::cpu}).value();
    EXPECT_EQ(proof.agent_id, shown.agent_id);
    EXPECT_EQ(proof.key_id, key.key_id());
    EXPECT_EQ(proof.public_key, key.public_key_base64url());
    EXPECT_EQ(proof.signature, crypto::to_base64url(std::string(64, 's')));
    EXPECT_EQ(proof.content, crypto::to_base64url(content));
    EXPECT_EQ(
        proof.statement,
        "synapsex-inventory-v1\n" + shown.agent_id.text() + "\ncpu\n" +
            std::to_string(to_micros(clock.now())) + "\n" + crypto::sha256_hex(content) + "\n"
    );

    const auto refusal = [&](const TenantId& of, SectionName section) {
        return vms.signed_section(call_of(of), {vm, section}).error().code;
    };
    EXPECT_EQ(refusal(stranger, SectionName::cpu), "vms.not_found");
    EXPECT_EQ(refusal(tenant, SectionName::os), "inventory.unsigned");
}

// Before this release, beside it, or after it was put back.
TEST_F(VmRegistryTest, a_section_of_a_release_that_did_not_sign_is_shown_without) {
    const auto vm = make_vm("web-1");
    const auto put_unsigned = [&](std::string_view hash) {
        const SectionRow row{SectionName::cpu, std::string{hash}, false, clock.now()};
        database.in_write([&](db::Session& s) { VmStore{s}.put_section(tenant, vm, row, "{}"); });
    };
    const auto put_signed = [&](std::string_view hash, Timestamp at) {
        const SectionSignature signature{"c", at, std::string(32, 'k'), "s"};
        const Section section{SectionName::cpu, std::string{hash}, false, Cpu{}, signature};
        return vms.put_section(call(), tenant, vm, section).has_value();
    };
    const auto expect_unsigned = [&] {
        const auto shown = vms.get(call(), {vm}).value();
        EXPECT_FALSE(shown.reported.sections.at(0).signed_at);
        EXPECT_FALSE(shown.reported.sections.at(0).key_id);
        const auto proof = vms.signed_section(call(), {vm, SectionName::cpu});
        ASSERT_FALSE(proof);
        EXPECT_EQ(proof.error().code, "inventory.unsigned");
        EXPECT_TRUE(vms.section_hashes(call(), tenant, vm).value().empty()) << "so it is asked for";
    };
    put_unsigned("h1");
    expect_unsigned();
    EXPECT_TRUE(put_signed("h2", clock.now() + 2s));
    EXPECT_TRUE(vms.signed_section(call(), {vm, SectionName::cpu}));
    put_unsigned("h3");
    expect_unsigned();
    EXPECT_TRUE(put_signed("h4", clock.now() + 1s)) << "nothing that is shown was signed later";
    EXPECT_TRUE(vms.signed_section(call(), {vm, SectionName::cpu}));
}

TEST_F(VmRegistryTest, a_section_of_a_newer_release_is_left_out) {
    const auto vm = make_vm("web-1");
    database.in_write([&](db::Session& s) {
        VmStore{s}.put_section(tenant, vm, {SectionName::cpu, "h", false, clock.now()}, "{}");
    });
    static constexpr db::Query kRename{
        "test.rename", "UPDATE vm_registry_sections SET section = 'teapots'"
    };
    database.in_write([](db::Session& s) { s.execute(kRename); });
    EXPECT_TRUE(vms.get(call(), {vm}).value().reported.sections.empty());
    EXPECT_TRUE(vms.section_hashes(call(), tenant, vm).value().empty());
}

TEST_F(VmRegistryTest, a_signature_that_lost_a_part_is_none_and_can_be_replaced) {
    static constexpr db::Query kForgetTime{
        "test.forget_time", "UPDATE vm_registry_sections SET signed_at = NULL"
    };
    static constexpr db::Query kForgetContent{
        "test.forget_content", "UPDATE vm_registry_sections SET content = NULL"
    };
    const auto vm = make_vm("web-1");
    for (const auto* damage : {&kForgetTime, &kForgetContent}) {
        const auto put = [&] {
            const SectionSignature signature{"c", clock.now(), std::string(32, 'k'), "s"};
            const Section section{SectionName::cpu, "h", false, Cpu{}, signature};
            return vms.put_section(call(), tenant, vm, section).has_value();
        };
        ASSERT_TRUE(put());
        database.in_write([&](db::Session& s) { s.execute(*damage); });
        const auto proof = vms.signed_section(call(), {vm, SectionName::cpu});
        ASSERT_FALSE(proof) << damage->name;
        EXPECT_EQ(proof.error().code, "inventory.unsigned");
        EXPECT_TRUE(put()) << damage->name;
        EXPECT_TRUE(vms.signed_section(call(), {vm, SectionName::cpu})) << damage->name;
    }
}

TEST_F(VmRegistryTest, what_was_signed_earlier_replaces_nothing) {
    const auto vm = make_vm("web-1");
    const auto put = [&](Timestamp signed_at, std::int64_t threads) {
        Cpu cpu;
        cpu.threads = threads;
        const SectionSignature signature{"c", signed_at, std::string(32, 'k'), "s"};
        const auto taken =
            vms.put_section(call(), tenant, vm, {SectionName::cpu, "h", false, cpu, signature});
        return taken ? "" : taken.error().code;
    };
    const auto now = clock.now();
    EXPECT_EQ(put(now, 4), "");
    EXPECT_EQ(put(now - 1us, 8), "inventory.older");
    EXPECT_EQ(vms.get(call(), {vm}).value().cpu_threads, 4);
    EXPECT_EQ(put(now, 4), "") << "the same one again";
    EXPECT_EQ(put(now + 1us, 16), "");
    // A clock that was a year ahead, and is right now, stops nobody.
    clock.advance(24h * 365);
    EXPECT_EQ(put(clock.now(), 32), "");
    clock.jump(-24h * 365);
    EXPECT_EQ(put(clock.now(), 64), "");
    EXPECT_EQ(vms.get(call(), {vm}).value().cpu_threads, 64);
}

TEST_F(VmRegistryTest, packages_are_listed_by_name_in_pages) {
    const auto vm = make_vm("web-1");
    Packages packages{"dpkg", {}};
    for (const auto* name : {"zsh", "bash", "libc6", "libc6", "apt"})
        packages.packages.push_back(
            {{name}, {"1"}, {packages.packages.size() == 3 ? "i386" : "amd64"}}
        );
    vms.put_section(call(), tenant, vm, {SectionName::packages, "h", false, packages}).value();
    ListPackages wish{.vm_id = vm};
    wish.limit.value.value = 2;
    std::vector<std::string> names;
    for (int i = 0; i < 4; ++i) {
        const auto page = vms.list_packages(call(), wish).value();
        for (const auto& package : page.items) names.push_back(package.name.value);
        if (!page.next_cursor) break;
        wish.cursor = api::Cursor{*page.next_cursor};
    }
    EXPECT_THAT(names, ElementsAre("apt", "bash", "libc6", "libc6", "zsh"));
    ListPackages libraries{.vm_id = vm};
    libraries.prefix = Text<1, 200>{"lib"};
    EXPECT_EQ(vms.list_packages(call(), libraries).value().items.size(), 2U);
}

TEST_F(VmRegistryTest, shows_when_an_agent_was_last_heard_of_from_memory_where_it_is_known) {
    const auto vm = make_vm("web-1");
    vms.set_presence(call(), std::vector{Presence{tenant, vm, State::online, clock.now() - 4min}})
        .value();
    EXPECT_EQ(vms.get(call(), {vm}).value().last_seen_at, clock.now() - 4min);
    std::optional<Timestamp> seen;
    vms.set_last_seen_source([&](const VmId&) { return seen; });
    EXPECT_EQ(vms.get(call(), {vm}).value().last_seen_at, clock.now() - 4min);
    seen = clock.now();
    EXPECT_EQ(vms.list(call(), {}).value().items[0].last_seen_at, clock.now());
}

TEST_F(VmRegistryTest, watching_is_told_once_and_ends_by_itself) {
    const auto vm = make_vm("web-1");
    int told = 0;
    vms.on_watched([&](const VmId& watched) {
        EXPECT_EQ(watched, vm);
        ++told;
    });
    const auto until = vms.watch(call(), {.vm_id = vm}).value().live_until;
    EXPECT_EQ(until, clock.now() + 60s);
    EXPECT_EQ(vms.live_until(vm), until);
    clock.advance(30s);
    vms.watch(call(), {.vm_id = vm}).value();
    EXPECT_EQ(told, 1);
    clock.advance(61s);
    EXPECT_LT(vms.live_until(vm), clock.now());
    vms.watch(call(), {.vm_id = vm}).value();
    EXPECT_EQ(told, 2);
}

TEST_F(VmRegistryTest, a_deleted_vm_takes_its_inventory_and_telemetry_with_it) {
    const auto vm = make_vm("web-1");
    store(vm, {sample_at(this_slot())}).value();
    vms.put_section(call(), tenant, vm, {SectionName::cpu, "h", false, Cpu{}}).value();
    vms.delete_vm(call(), tenant, vm).value();
    vms.delete_vm(call(), tenant, vm).value();
    EXPECT_EQ(vms.get(call(), {vm}).error().code, "vms.not_found");
    vms.create_vm(call(), {tenant, vm, AgentId::derived_from(vm), "web-1"}).value();
    EXPECT_TRUE(shown_slots(vm).empty());
    EXPECT_TRUE(vms.get(call(), {vm}).value().reported.sections.empty());
}

TEST_F(VmRegistryTest, on_a_disk_that_is_nearly_full_telemetry_waits_and_everything_else_goes_on) {
    const auto vm = make_vm("web-1");
    const auto slot = this_slot();
    EXPECT_EQ(store(vm, {sample_at(slot)}).value(), Taken::stored);
    for (const auto room : {db::Room::low, db::Room::critical}) {
        database->set_room(room);
        EXPECT_EQ(store(vm, {sample_at(slot + 1)}).value(), Taken::not_now);
        EXPECT_THAT(shown_slots(vm), ElementsAre(slot));
        make_vm("web-2");
    }
    database->set_room(db::Room::plenty);
    EXPECT_EQ(store(vm, {sample_at(slot + 1)}).value(), Taken::stored);
    EXPECT_THAT(shown_slots(vm), ElementsAre(slot, slot + 1));
}

}  // namespace
}  // namespace synapsex::vm_registry

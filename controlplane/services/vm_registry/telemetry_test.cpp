// Telemetry of the service: what is stored, shown, pruned and kept aside.

#include <gmock/gmock.h>

#include "controlplane/services/vm_registry/vm_registry_fixture.hpp"
#include "tests/support/breakable_database.hpp"

namespace synapsex::vm_registry {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

TEST_F(VmRegistryTest, a_slot_is_stored_once_however_often_it_is_sent) {
    const auto vm = make_vm("web-1");
    const auto slot = this_slot();
    store(vm, {sample_at(slot - 2), sample_at(slot - 1)}).value();
    store(vm, {sample_at(slot - 1, 999), sample_at(slot)}).value();
    EXPECT_THAT(shown_slots(vm), ElementsAre(slot - 2, slot - 1, slot));
    const auto page = vms.read_telemetry(call(), {.vm_id = vm}).value();
    EXPECT_DOUBLE_EQ(page.items[1].load1, 1.5);
    EXPECT_DOUBLE_EQ(vms.get(call(), {vm}).value().latest->load1, 1.5);
}

TEST_F(VmRegistryTest, telemetry_over_many_chunks_is_read_in_order_in_pages_of_any_size) {
    const auto vm = make_vm("web-1");
    const auto slot = this_slot();
    std::vector<TelemetrySample> samples;
    std::vector<std::int64_t> expected;
    for (auto s = slot - 700; s <= slot; s += s % 3 == 0 ? 1 : 2) {
        samples.push_back(sample_at(s));
        expected.push_back(s);
    }
    store(vm, samples).value();
    for (const std::int64_t limit : {1000, 240, 41, 40, 39})
        EXPECT_EQ(shown_slots(vm, limit), expected);
}

TEST_F(VmRegistryTest, telemetry_from_an_instant_to_another_holds_the_slots_that_start_between) {
    const auto vm = make_vm("web-1");
    const auto slot = this_slot();
    store(vm, {sample_at(slot - 3), sample_at(slot - 2), sample_at(slot - 1), sample_at(slot)})
        .value();
    const auto count = [&](Timestamp from, Timestamp to) {
        const ReadTelemetry wish{.vm_id = vm, .from = from, .to = to, .limit = {}, .cursor = {}};
        return vms.read_telemetry(call(), wish).value().items.size();
    };
    EXPECT_EQ(count(slot_start(slot - 2), slot_start(slot - 1)), 2U);
    EXPECT_EQ(count(slot_start(slot - 2) + 1us, slot_start(slot - 1)), 1U);
    EXPECT_EQ(count(slot_start(slot - 2), slot_start(slot - 1) - 1us), 1U);
}

TEST_F(VmRegistryTest, telemetry_from_later_than_its_end_is_refused) {
    const auto vm = make_vm("web-1");
    ReadTelemetry wish{.vm_id = vm, .from = {}, .to = {}, .limit = {}, .cursor = {}};
    const auto refused = [&] {
        const auto page = vms.read_telemetry(call(), wish);
        return page ? "" : page.error().code + " " + page.error().errors.at(0).pointer;
    };
    wish.from = clock.now();
    wish.to = clock.now() - 1s;
    EXPECT_EQ(refused(), "telemetry.range_invalid from");
    wish.from = std::nullopt;
    wish.to = clock.now() - std::chrono::days{1};
    EXPECT_EQ(refused(), "telemetry.range_invalid from") << "an hour ago is later";
    wish.from = wish.to;
    EXPECT_EQ(refused(), "");
}

TEST_F(VmRegistryTest, samples_that_do_not_ascend_are_refused_whole) {
    const auto vm = make_vm("web-1");
    const auto slot = this_slot();
    EXPECT_EQ(
        store(vm, {sample_at(slot), sample_at(slot)}).error().code, "telemetry.not_ascending"
    );
    EXPECT_EQ(
        store(vm, {sample_at(slot), sample_at(slot - 1)}).error().code, "telemetry.not_ascending"
    );
    EXPECT_EQ(
        store(vm, std::vector<TelemetrySample>(VmDirectory::kSamplesMax + 1)).error().code,
        "telemetry.not_ascending"
    );
    EXPECT_TRUE(shown_slots(vm).empty());
}

TEST_F(VmRegistryTest, samples_of_the_far_future_and_past_are_dropped_and_not_refused) {
    const auto vm = make_vm("web-1");
    const auto slot = this_slot();
    const auto month = 31LL * 86'400 / kSlotSeconds;
    store(vm, {sample_at(-5), sample_at(slot - month), sample_at(slot), sample_at(slot + month)})
        .value();
    EXPECT_THAT(shown_slots(vm), ElementsAre(slot));
}

TEST_F(VmRegistryTest, telemetry_past_its_retention_is_pruned) {
    const auto vm = make_vm("web-1");
    store(vm, {sample_at(this_slot())}).value();
    EXPECT_EQ(vms.prune(call()), 0);
    clock.advance(kTelemetryRetention + 1h);
    store(vm, {sample_at(this_slot())}).value();
    EXPECT_EQ(vms.prune(call()), 1);
    EXPECT_THAT(shown_slots(vm), ElementsAre(this_slot()));
}

TEST_F(VmRegistryTest, pruning_goes_on_until_nothing_is_left_or_its_time_is_over) {
    const auto vm = make_vm("web-1");
    std::vector<TelemetrySample> samples;
    for (std::int64_t chunk = 1200; chunk > 0; --chunk)
        samples.push_back(sample_at(this_slot() - chunk * kChunkSlots));
    store(vm, {samples.begin(), samples.begin() + 600}).value();
    store(vm, {samples.begin() + 600, samples.end()}).value();
    clock.advance(kTelemetryRetention + 1h);
    store(vm, {sample_at(this_slot())}).value();
    auto hurried = call();
    hurried.deadline = Deadline::at(clock.steady_now());
    EXPECT_EQ(vms.prune(hurried), 0);
    EXPECT_EQ(vms.prune(call()), 1200);
}

TEST_F(VmRegistryTest, a_clock_that_is_a_month_ahead_prunes_no_history) {
    const auto vm = make_vm("web-1");
    const auto slot = this_slot();
    const auto week = 7LL * 86'400 / kSlotSeconds;
    store(vm, {sample_at(slot - 4 * week), sample_at(slot - week), sample_at(slot)}).value();
    clock.jump(std::chrono::days{31});
    EXPECT_EQ(vms.prune(call()), 0);
    clock.jump(-std::chrono::days{31});
    EXPECT_THAT(shown_slots(vm), ElementsAre(slot - 4 * week, slot - week, slot));
}

TEST_F(VmRegistryTest, a_chunk_that_cannot_be_read_hides_no_other) {
    const auto vm = make_vm("web-1");
    const auto other = make_vm("web-2");
    const auto slot = this_slot();
    store(vm, {sample_at(slot - 2 * kChunkSlots), sample_at(slot)}).value();
    store(other, {sample_at(slot)}).value();
    for (const auto& bytes :
         {std::string{"\x02 newer"}, std::string{}, pack_samples(std::vector{sample_at(3)})}) {
        break_chunk(vm, slot, bytes);
        const auto page = vms.list(call(), {}).value();
        ASSERT_EQ(page.items.size(), 2U);
        EXPECT_FALSE(page.items[0].latest);
        EXPECT_TRUE(page.items[1].latest);
        EXPECT_FALSE(vms.get(call(), {vm}).value().latest);
        EXPECT_THAT(shown_slots(vm), ElementsAre(slot - 2 * kChunkSlots));
    }
}

TEST_F(VmRegistryTest, chunks_that_cannot_be_read_end_no_list) {
    const auto vm = make_vm("web-1");
    const auto slot = this_slot();
    for (std::int64_t chunk = 20; chunk > 5; --chunk) break_chunk(vm, slot - chunk * kChunkSlots);
    store(vm, {sample_at(slot - 5 * kChunkSlots), sample_at(slot)}).value();
    EXPECT_THAT(shown_slots(vm, 1), ElementsAre(slot - 5 * kChunkSlots, slot));
}

TEST_F(VmRegistryTest, a_chunk_that_cannot_be_read_stops_no_agent_and_is_kept_aside) {
    const auto vm = make_vm("web-1");
    const auto slot = chunk_of(this_slot());
    break_chunk(vm, slot, "\x02 newer");
    store(vm, {sample_at(slot), sample_at(slot + 1)}).value();
    store(vm, {sample_at(slot + 2)}).value();
    EXPECT_THAT(shown_slots(vm), ElementsAre(slot, slot + 1, slot + 2));
    EXPECT_EQ(slot_of(vms.get(call(), {vm}).value().latest->at), slot + 2);
    const auto aside = database.in_read([&](db::Session& s) {
        return VmStore{s}.find_chunk(tenant, vm, slot + 1);
    });
    EXPECT_EQ(aside->samples.bytes, "\x02 newer");
}

TEST_F(VmRegistryTest, counts_the_samples_that_were_committed) {
    const auto vm = make_vm("web-1");
    const auto slot = this_slot();
    store(vm, {sample_at(slot - 1), sample_at(slot)}).value();
    store(vm, {sample_at(slot)}).value();
    EXPECT_EQ(samples_stored(), 2U);
    testing::BreakableDatabase breakable{*database};
    VmRegistry unlucky{breakable, clock, database.metrics()};
    breakable.is_commit_refused = true;
    EXPECT_FALSE(unlucky.store_samples(call(), tenant, vm, std::vector{sample_at(slot + 1)}));
    EXPECT_EQ(samples_stored(), 2U);
    EXPECT_THAT(shown_slots(vm), ElementsAre(slot - 1, slot));
}

TEST_F(VmRegistryTest, a_telemetry_cursor_of_no_slot_is_refused) {
    const auto vm = make_vm("web-1");
    ReadTelemetry wish{.vm_id = vm, .from = {}, .to = {}, .limit = {}, .cursor = {}};
    for (const auto* key : {"9223372036854775807", "16893486720", "-1", "1x"}) {
        wish.cursor = api::Cursor{api::encode_cursor(key)};
        EXPECT_EQ(vms.read_telemetry(call(), wish).error().code, "request.cursor_invalid") << key;
    }
    wish.cursor = api::Cursor{api::encode_cursor("16893486719")};
    EXPECT_TRUE(vms.read_telemetry(call(), wish).value().items.empty());
}

}  // namespace
}  // namespace synapsex::vm_registry

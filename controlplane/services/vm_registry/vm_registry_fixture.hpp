#pragma once

// The service on a database of its own, with two tenants.

#include <gtest/gtest.h>

#include "controlplane/services/vm_registry/migrations.hpp"
#include "controlplane/services/vm_registry/sample_chunk.hpp"
#include "controlplane/services/vm_registry/service.hpp"
#include "controlplane/services/vm_registry/store.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::vm_registry {

class VmRegistryTest : public ::testing::Test {
 protected:
    Call call_of(const TenantId& tenant_id) {
        Call call = Call::system("test", Deadline::never());
        call.tenant = tenant_id;
        return call;
    }
    Call call() { return call_of(tenant); }

    VmId make_vm(const std::string& name) {
        clock.advance(std::chrono::milliseconds{1});
        const auto vm = VmId::make(clock.now(), random);
        const NewVm wish{tenant, vm, AgentId::derived_from(vm), name};
        EXPECT_TRUE(vms.create_vm(call(), wish));
        return vm;
    }
    std::int64_t this_slot() { return slot_of(clock.now()); }
    TelemetrySample sample_at(std::int64_t slot, std::int64_t load = 150) {
        TelemetrySample sample;
        sample.slot = slot;
        sample.load1_centi = load;
        return sample;
    }
    Result<Taken> store(const VmId& vm, const std::vector<TelemetrySample>& samples) {
        return vms.store_samples(call(), tenant, vm, samples);
    }
    // As a damaged file, or a newer release, would leave it.
    void break_chunk(const VmId& vm, std::int64_t slot, std::string bytes = "\x02 newer") {
        const ChunkRow row{chunk_of(slot), db::Blob{std::move(bytes)}};
        database.in_write([&](db::Session& s) { VmStore{s}.put_chunk(tenant, vm, row); });
    }
    std::uint64_t samples_stored() {
        return database.metrics().counter("synapsex_telemetry_samples_stored_total", "").value();
    }
    // The slots that /v1 shows, through all pages.
    std::vector<std::int64_t> shown_slots(const VmId& vm, std::int64_t limit = 1000) {
        std::vector<std::int64_t> slots;
        ReadTelemetry wish{.vm_id = vm, .from = {}, .to = {}, .limit = {}, .cursor = {}};
        wish.from = clock.now() - std::chrono::days{29};
        wish.limit.value.value = limit;
        for (int page_count = 0; page_count < 200; ++page_count) {
            const auto page = vms.read_telemetry(call(), wish).value();
            EXPECT_LE(page.items.size(), static_cast<std::size_t>(limit));
            for (const auto& point : page.items) slots.push_back(slot_of(point.at));
            if (!page.next_cursor) return slots;
            wish.cursor = api::Cursor{*page.next_cursor};
        }
        ADD_FAILURE() << "the pages do not end";
        return slots;
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{clock, {{"vm-registry-service", kMigrations}}};
    VmRegistry vms{*database, clock, database.metrics()};
    TenantId tenant = TenantId::make(clock.now(), random);
    TenantId stranger = TenantId::make(clock.now(), random);
};

}  // namespace synapsex::vm_registry

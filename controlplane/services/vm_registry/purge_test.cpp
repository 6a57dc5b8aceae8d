#include "controlplane/services/vm_registry/purge.hpp"

#include "controlplane/services/vm_registry/vm_registry_fixture.hpp"

namespace synapsex::vm_registry {
namespace {

class VmPurgeTest : public VmRegistryTest {
 protected:
    VmPurge purge{*database};

    std::map<std::string, std::int64_t> counts(const TenantId& of) {
        std::map<std::string, std::int64_t> rows;
        for (const auto& table : purge.count_rows(call(), of).value())
            rows[table.table] = table.rows;
        return rows;
    }
};

TEST_F(VmPurgeTest, removes_vms_and_telemetry_of_one_tenant) {
    std::vector<VmId> made;
    for (int i = 0; i < 45; ++i) made.push_back(make_vm("vm-" + std::to_string(i)));
    store(made[0], {sample_at(this_slot())}).value();
    break_chunk(VmId::make(clock.now(), random), this_slot());  // of a VM that is gone
    const auto others = VmId::make(clock.now(), random);
    vms.create_vm(
           call_of(stranger), {stranger, others, AgentId::derived_from(others), "neighbour"}
    )
        .value();
    const auto before = counts(tenant);
    EXPECT_EQ(before.at("vm_registry_vms"), 45);
    EXPECT_EQ(before.at("vm_registry_chunks"), 2);
    EXPECT_EQ(before.at("vm_registry_sections"), 0);

    purge.remove_rows(call(), tenant).value();
    for (const auto& [table, rows] : counts(tenant)) EXPECT_EQ(rows, 0) << table;
    EXPECT_EQ(counts(stranger).at("vm_registry_vms"), 1);
    EXPECT_TRUE(purge.remove_rows(call(), tenant)) << "and may be asked again";
}

}  // namespace
}  // namespace synapsex::vm_registry

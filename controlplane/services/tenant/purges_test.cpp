#include "controlplane/services/tenant/purges.hpp"

#include <gmock/gmock.h>

#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/services/tenant/migrations.hpp"
#include "controlplane/services/tenant/service.hpp"
#include "shared/crypto/hash.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/posted_messages.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::tenant {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

template <class T>
std::string code_of(const Result<T>& result) {
    return result ? "" : result.error().code;
}

// What another service keeps, in memory; it breaks off when it is told to.
class FakePurge final : public TenantPurge {
 public:
    FakePurge(std::string table, std::vector<std::string>& asked)
        : table_(std::move(table)), asked_(asked) {}

    Result<std::vector<TableCount>> count_rows(const Call&, const TenantId& tenant) override {
        return std::vector{TableCount{table_, rows[tenant]}};
    }
    Result<Done> remove_rows(const Call&, const TenantId& tenant) override {
        asked_.push_back(table_);
        if (breaks_off) {
            rows[tenant] /= 2;
            return Problem{Kind::unavailable, "database.busy", "Busy."};
        }
        rows[tenant] = comes_in;
        return Done{};
    }

    std::map<TenantId, std::int64_t> rows;
    bool breaks_off = false;
    std::int64_t comes_in = 0;

 private:
    const std::string table_;
    std::vector<std::string>& asked_;
};

class PurgesTest : public ::testing::Test {
 protected:
    PurgesTest() {
        purges.set_services({&keys, &vms});
        ada = UserId::make(clock.now(), random);
        acme = create(ada, "Acme");
        keys.rows[acme.id] = 3;
        vms.rows[acme.id] = 100;
    }
    Tenant create(const UserId& owner, std::string name) {
        clock.advance(1s);
        return tenants.create(call_of(owner, {}), {{std::move(name)}, {}}).value();
    }
    Call call_of(const UserId& user, const TenantId& tenant) {
        auto principal = std::make_shared<Principal>();
        principal->kind = PrincipalKind::user;
        principal->user = user;
        principal->tenant = tenant;
        return {.request_id = "req", .tenant = tenant, .principal = std::move(principal)};
    }
    Call system() { return Call::system("tenant.purge", Deadline::never()); }
    void request_deletion(const Tenant& tenant) {
        tenants.standings()
            .request_deletion(call_of(ada, tenant.id), {tenant.id, {tenant.slug}})
            .value();
    }
    std::string restore() {
        return code_of(tenants.standings().restore(call_of(ada, acme.id), acme.id));
    }
    std::string run() { return code_of(purges.run(system())); }
    std::vector<PurgeCertificate> certificates() {
        return tenants.standings().list_certificates(system(), "", 10).value();
    }
    bool exists(const Tenant& tenant) {
        return bool{tenants.get_standing(system(), tenant.id)};
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{
        clock, {{"outbox", outbox::kMigrations}, {"tenant-service", kMigrations}}};
    TenantService tenants{*database, clock, random};
    Purges& purges = tenants.purges();
    std::vector<std::string> asked;
    FakePurge keys{"keys", asked};
    FakePurge vms{"vms", asked};
    UserId ada;
    Tenant acme;
};

TEST_F(PurgesTest, nothing_goes_before_the_grace_is_over_or_of_a_tenant_that_was_taken_back) {
    EXPECT_EQ(run(), "");
    request_deletion(acme);
    clock.advance(kDeletionGrace - 1s);
    EXPECT_EQ(run(), "");
    EXPECT_EQ(restore(), "");
    clock.advance(48h);
    EXPECT_EQ(run(), "");
    EXPECT_TRUE(exists(acme));
    EXPECT_THAT(asked, IsEmpty());
}

TEST_F(PurgesTest, all_of_it_goes_in_order_and_a_certificate_says_so) {
    const auto other = create(UserId::make(clock.now(), random), "Other");
    const auto requested_at = clock.now();
    request_deletion(acme);
    clock.advance(kDeletionGrace);
    std::vector<TenantId> told;
    tenants.on_standing_changed([&](const TenantId& tenant) { told.push_back(tenant); });
    EXPECT_EQ(run(), "");
    EXPECT_THAT(asked, ElementsAre("keys", "vms"));
    EXPECT_FALSE(exists(acme));
    EXPECT_EQ(
        code_of(tenants.get_membership(system(), ada, acme.slug)), "tenants.not_found"
    );
    EXPECT_TRUE(exists(other));
    EXPECT_THAT(told, ElementsAre(acme.id));

    const auto all = certificates();
    ASSERT_EQ(all.size(), 1U);
    const auto& text = all[0].certificate;
    EXPECT_EQ(all[0].sha256, crypto::sha256_hex(text));
    EXPECT_EQ(all[0].slug, "acme");
    EXPECT_EQ(all[0].finished_at, clock.now());
    EXPECT_THAT(
        text, HasSubstr(R"("rows":{"keys":3,"tenant_limits":0,"tenant_members":1,)"
                        R"("tenant_tenants":1,"vms":100})")
    );
    EXPECT_THAT(text, HasSubstr(R"("requestedBy":")" + ada.text() + '"'));
    EXPECT_THAT(text, HasSubstr(R"("requestedAt":")" + format_rfc3339(requested_at)));
    const auto message = testing::posted_messages(database).back();
    EXPECT_EQ(message.type, "tenant.purged");
    EXPECT_THAT(message.data, HasSubstr(all[0].sha256));
    EXPECT_EQ(run(), "") << "and there is nothing to be done again";
    EXPECT_EQ(certificates().size(), 1U);
}

TEST_F(PurgesTest, one_that_broke_off_is_taken_up_and_counts_what_there_was_at_first) {
    request_deletion(acme);
    clock.advance(kDeletionGrace);
    vms.breaks_off = true;
    EXPECT_EQ(run(), "database.busy");
    EXPECT_EQ(run(), "database.busy");
    EXPECT_EQ(vms.rows[acme.id], 25);
    EXPECT_TRUE(exists(acme));
    EXPECT_THAT(certificates(), IsEmpty());
    vms.breaks_off = false;
    EXPECT_EQ(run(), "");
    EXPECT_FALSE(exists(acme));
    EXPECT_THAT(certificates().at(0).certificate, HasSubstr(R"("vms":100)"));
}

TEST_F(PurgesTest, one_that_has_begun_is_not_taken_back_by_anybody) {
    request_deletion(acme);
    clock.advance(kDeletionGrace);
    EXPECT_EQ(restore(), "") << "late, and in time";
    request_deletion(acme);
    clock.advance(kDeletionGrace);
    vms.breaks_off = true;
    EXPECT_EQ(run(), "database.busy");
    EXPECT_EQ(restore(), "tenants.purge_started");
    EXPECT_EQ(
        code_of(tenants.standings().suspend(system(), acme.id, "evidence")),
        "tenants.purge_started"
    );
    EXPECT_EQ(
        code_of(tenants.standings().resume(system(), acme.id, "why")), "tenants.purge_started"
    );
}

TEST_F(PurgesTest, is_not_finished_while_rows_come_in) {
    request_deletion(acme);
    clock.advance(kDeletionGrace);
    vms.comes_in = 1;
    EXPECT_EQ(run(), "tenants.purge_unfinished");
    EXPECT_TRUE(exists(acme));
    vms.comes_in = 0;
    EXPECT_EQ(run(), "");
    EXPECT_FALSE(exists(acme));
}

TEST_F(PurgesTest, one_that_fails_keeps_no_other_waiting) {
    const auto second = create(ada, "Second");
    request_deletion(acme);
    clock.advance(1s);
    request_deletion(second);
    clock.advance(kDeletionGrace);
    keys.breaks_off = true;
    EXPECT_EQ(run(), "database.busy");
    EXPECT_THAT(asked, ElementsAre("keys", "keys")) << "both were tried";
    keys.breaks_off = false;
    EXPECT_EQ(run(), "");
    EXPECT_FALSE(exists(acme));
    EXPECT_FALSE(exists(second));
}

}  // namespace
}  // namespace synapsex::tenant

#include "controlplane/platform/sealing/sealed_column.hpp"

#include <gmock/gmock.h>

#include "controlplane/platform/db/query.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::sealing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SealedColumnTest : public ::testing::Test {
 protected:
    testing::FakeClock clock;
    testing::SeededRandom random;
    crypto::RootKey root = crypto::RootKey::generate(random);
    SealedColumn seeds{root, "auth_users", "totp_seed"};
    TenantId tenant = TenantId::make(clock.now(), random);
    TenantId other_tenant = TenantId::make(clock.now(), random);
    std::string sealed = seeds.seal({tenant, "usr_1"}, "JBSWY3DP", random);

    static std::string refusal(
        const SealedColumn& column, const RowId& row, std::string_view value
    ) {
        try {
            return "opened: " + column.open(row, value);
        } catch (const db::DatabaseError& error) {
            return error.what();
        }
    }
};

TEST_F(SealedColumnTest, a_value_opens_where_it_was_sealed) {
    EXPECT_EQ(seeds.open({tenant, "usr_1"}, sealed), "JBSWY3DP");
    const SealedColumn after_restart{root, "auth_users", "totp_seed"};
    EXPECT_EQ(after_restart.open({tenant, "usr_1"}, sealed), "JBSWY3DP");
    EXPECT_EQ(seeds.open({{}, "x"}, seeds.seal({{}, "x"}, "", random)), "");
    const std::string every_byte{"\0\xff.s1.", 6};
    EXPECT_EQ(seeds.open({{}, "x"}, seeds.seal({{}, "x"}, every_byte, random)), every_byte);
}

TEST_F(SealedColumnTest, says_its_form_and_root_key_and_nothing_of_the_value) {
    EXPECT_TRUE(sealed.starts_with("s1." + root.key_id() + "."));
    EXPECT_THAT(sealed, Not(HasSubstr("JBSWY3DP")));
    EXPECT_NE(sealed, seeds.seal({tenant, "usr_1"}, "JBSWY3DP", random)) << "equal values show not";
}

TEST_F(SealedColumnTest, a_value_opens_nowhere_else) {
    const auto moved = HasSubstr("it was changed, or belongs to another row, tenant or column");
    EXPECT_THAT(refusal(seeds, {tenant, "usr_2"}, sealed), moved);
    EXPECT_THAT(refusal(seeds, {other_tenant, "usr_1"}, sealed), moved);
    EXPECT_THAT(refusal(seeds, {{}, "usr_1"}, sealed), moved);
    EXPECT_THAT(refusal(seeds, {{}, tenant.text() + "/usr_1"}, sealed), moved);
    EXPECT_THAT(refusal({root, "auth_users", "note"}, {tenant, "usr_1"}, sealed), moved);
    EXPECT_THAT(refusal({root, "users", "totp_seed"}, {tenant, "usr_1"}, sealed), moved);
}

TEST_F(SealedColumnTest, a_value_that_was_changed_anywhere_does_not_open) {
    for (std::size_t at = 0; at < sealed.size(); ++at) {
        auto changed = sealed;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        EXPECT_THAT(refusal(seeds, {tenant, "usr_1"}, changed), HasSubstr("does not open")) << at;
        EXPECT_THAT(
            refusal(seeds, {tenant, "usr_1"}, sealed.substr(0, at)), HasSubstr("does not open")
        ) << at;
    }
    EXPECT_THAT(refusal(seeds, {tenant, "usr_1"}, "JBSWY3DP"), HasSubstr("it is not sealed"));
}

TEST_F(SealedColumnTest, under_another_root_key_the_refusal_names_both_and_not_the_value) {
    const auto other = crypto::RootKey::generate(random);
    const SealedColumn column{other, "auth_users", "totp_seed"};
    EXPECT_EQ(
        refusal(column, {tenant, "usr_1"}, sealed),
        "auth_users.totp_seed of usr_1 does not open: it was sealed under the root key " +
            root.key_id() + ", and this is " + other.key_id()
    );
}

}  // namespace
}  // namespace synapsex::sealing

#include "controlplane/services/auth/purge.hpp"

#include "controlplane/services/auth/auth_fixture.hpp"

namespace synapsex::auth {
namespace {

using ::testing::ElementsAre;

class AuthPurgeTest : public AuthFixture {
 protected:
    AuthPurge purge{*database};

    std::vector<std::int64_t> counts(const TokenPair& user) {
        std::vector<std::int64_t> rows;
        for (const auto& table : purge.count_rows(nobody(), user.user.tenant_id).value())
            rows.push_back(table.rows);
        return rows;
    }
};

TEST_F(AuthPurgeTest, removes_the_keys_of_one_tenant_and_leaves_its_users) {
    const auto ada = registered("ada@example.com");
    const auto bob = registered("bob@example.com");
    for (const auto& user : {ada, bob}) service.create_key(call_of(user), {{"ci"}, {}}).value();
    EXPECT_THAT(counts(ada), ElementsAre(1, 0));
    purge.remove_rows(nobody(), ada.user.tenant_id).value();
    EXPECT_THAT(counts(ada), ElementsAre(0, 0));
    EXPECT_THAT(counts(bob), ElementsAre(1, 0));
    EXPECT_TRUE(service.login(nobody(), {{"ada@example.com"}, {kPassword}}));
    EXPECT_TRUE(purge.remove_rows(nobody(), ada.user.tenant_id)) << "and may be asked again";
}

}  // namespace
}  // namespace synapsex::auth

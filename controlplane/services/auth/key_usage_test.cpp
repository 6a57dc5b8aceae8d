#include "controlplane/services/auth/key_usage.hpp"

#include "controlplane/services/auth/auth_fixture.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;

class KeyUsageTest : public AuthFixture {
 protected:
    KeyUsage usage{*database, clock};
    TokenPair ada = registered("ada@example.com");
    CreatedApiKey key = service.create_key(call_of(ada), {{"ci"}, {}}).value();

    void note() { usage.note(ada.user.tenant_id, key.id); }
    Timestamp this_minute() { return std::chrono::floor<std::chrono::minutes>(clock.now()); }
    std::optional<Timestamp> last_used_at() {
        return service.list_keys(call_of(ada), {})->items.at(0).last_used_at;
    }
    void rename_table(std::string_view from, std::string_view to) {
        database->change_schema([&](db::SchemaChange& change) {
            change.run_script(
                "ALTER TABLE " + std::string{from} + " RENAME TO " + std::string{to} + ";"
            );
        });
    }
};

TEST_F(KeyUsageTest, that_a_failing_database_did_not_take_is_written_later) {
    note();
    const auto used = this_minute();
    rename_table("auth_api_keys", "away");
    EXPECT_THROW(usage.flush(nobody()), db::DatabaseError);
    rename_table("away", "auth_api_keys");
    clock.advance(10min);
    EXPECT_TRUE(usage.flush(nobody()));
    EXPECT_EQ(last_used_at(), used);
}

TEST_F(KeyUsageTest, noted_meanwhile_is_newer_and_stays) {
    note();
    auto late = nobody();
    late.deadline = Deadline::at(clock.steady_now() - 1s);
    EXPECT_FALSE(usage.flush(late));
    clock.advance(10min);
    note();
    const auto used = this_minute();
    EXPECT_FALSE(usage.flush(late));
    EXPECT_TRUE(usage.flush(nobody()));
    EXPECT_EQ(last_used_at(), used);
}

}  // namespace
}  // namespace synapsex::auth

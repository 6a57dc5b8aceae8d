// What is in the log stays as it is, whoever asks: also the roles in which the server works.

#include <gmock/gmock.h>

#include "controlplane/services/audit/audit_fixture.hpp"

namespace synapsex::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr db::Query kUpdate{"test.update", "UPDATE audit_entries SET action = 'tests.nothing'"};
constexpr db::Query kDelete{"test.delete", "DELETE FROM audit_entries"};
constexpr db::Query kDeleteOne{
    "test.delete_one", "DELETE FROM audit_entries WHERE tenant_id = $1 AND sequence = 1"};
// On SQLite a DELETE without a condition is what TRUNCATE is elsewhere.
constexpr db::Query kTruncate{
    "test.truncate", "DELETE FROM audit_entries", "TRUNCATE audit_entries"};
constexpr db::Query kOverwrite{"test.overwrite", R"sql(
    INSERT INTO audit_entries
        (tenant_id, sequence, entry_id, occurred_at, recorded_at, action, subject, actor,
         on_behalf_of, request_id, decision_id, client_address, argument_digest, data, hash,
         prev_hash)
    VALUES ($1, 1, 'evt_other', 1, 1, 'tests.nothing', '', '[]', '', '', '', '', '', '{}', '', '')
    ON CONFLICT (tenant_id, sequence) DO UPDATE SET action = excluded.action)sql"};

class AppendOnlyTest : public AuditTest {
 protected:
    AppendOnlyTest() {
        told.push_back(tell(call_of(tenant), "tests.first"));
        told.push_back(tell(call_of(tenant), "tests.second"));
        EXPECT_TRUE(relay());
    }

    template <class... Args>
    void expect_refused(const db::Query& query, std::string_view why, const Args&... args) {
        const auto run = [&](db::Session& session) -> Result<Done> {
            session.execute(query, args...);
            return Done{};
        };
        const auto as_tenant = [&] { (void)books->write(call_of(tenant), run); };
        const auto as_system = [&] { (void)books->write(outbox::kTest, call, run); };
        const auto is_told = HasSubstr(std::string{why});
        EXPECT_THAT(as_tenant, ThrowsMessage<db::DatabaseError>(is_told)) << query.name;
        EXPECT_THAT(as_system, ThrowsMessage<db::DatabaseError>(is_told)) << query.name;
        EXPECT_EQ(ids(tenant), told);
    }

    std::vector<std::string> told;
};

TEST_F(AppendOnlyTest, no_entry_is_changed) {
    expect_refused(kUpdate, "audit_entries is append-only");
    expect_refused(kOverwrite, "audit_entries is append-only", tenant);
}

TEST_F(AppendOnlyTest, no_entry_is_removed) {
    expect_refused(kDelete, "audit_entries is append-only");
    expect_refused(kDeleteOne, "audit_entries is append-only", tenant);
}

TEST_F(AppendOnlyTest, the_table_is_not_emptied) {
    // The roles may not even try; whoever owns the table meets the trigger.
    expect_refused(kTruncate, books.is_postgres() ? "permission denied" : "append-only");
    const auto as_owner = [&] {
        books->change_schema([](db::SchemaChange& change) {
            change.run_script("DELETE FROM audit_entries");
        });
    };
    EXPECT_THAT(as_owner, ThrowsMessage<std::exception>(HasSubstr("append-only")));
    if (books.is_postgres()) {
        const auto truncate = [&] {
            books->change_schema([](db::SchemaChange& change) {
                change.run_script("TRUNCATE audit_entries");
            });
        };
        EXPECT_THAT(truncate, ThrowsMessage<std::exception>(HasSubstr("append-only")));
    }
    EXPECT_EQ(ids(tenant), told);
}

TEST_F(AppendOnlyTest, new_entries_still_come) {
    told.push_back(tell(call_of(tenant), "tests.third"));
    EXPECT_TRUE(relay());
    EXPECT_EQ(ids(tenant), told);
    EXPECT_THAT(numbers(tenant), ElementsAre(1, 2, 3));
}

// A transaction of no tenant has the empty text for its own, so it sees the installation's.
TEST_F(AppendOnlyTest, a_tenant_sees_nothing_of_another_and_nothing_of_the_installation) {
    tell(call, "tests.of_the_installation");
    EXPECT_TRUE(relay());
    static constexpr db::Query kCount{"test.count", "SELECT count(*) AS rows FROM audit_entries"};
    if (!books.is_postgres()) GTEST_SKIP() << "SQLite has no row level security";
    const auto rows = [&](const Call& as) {
        return books
            ->read(as, [](db::Session& session) -> Result<std::int64_t> {
                return session.query(kCount)[0].get<std::int64_t>("rows");
            })
            .value();
    };
    EXPECT_EQ(rows(call_of(tenant)), 2);
    EXPECT_EQ(rows(call_of(stranger)), 0);
    EXPECT_EQ(rows(call), 1);
}

}  // namespace
}  // namespace synapsex::audit

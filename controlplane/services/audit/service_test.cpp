#include "controlplane/services/audit/service.hpp"

#include <gmock/gmock.h>

#include "controlplane/services/audit/audit_fixture.hpp"

namespace synapsex::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AuditLogTest : public AuditTest {
 protected:
    // As the recorder writes them, and faster: the `number`th entry of the tenant.
    void put(std::int64_t number, std::string action = "tests.happened") {
        put_row({.sequence = number, .action = std::move(action)});
    }
    void put_row(EntryRow row) {
        const auto now = clock.now();
        row.entry_id = EntryId::make(now, random);
        if (row.occurred_at == Timestamp{}) row.occurred_at = start + minutes{row.sequence};
        row.recorded_at = row.occurred_at;
        if (row.actor.empty()) row.actor = "[]";
        row.data = "{}";
        books.in_write([&](db::Session& session) {
            AuditStore store{session};
            ASSERT_TRUE(store.insert(tenant.text(), row));
            store.set_head(tenant.text(), row.sequence);
        });
    }
    // Many quickly.
    void put_many(std::int64_t first, std::int64_t last, const std::string& data = "{}") {
        constexpr std::int64_t kAtOnce = 200;
        for (; first <= last; first += kAtOnce)
            books.in_write([&](db::Session& session) {
                AuditStore store{session};
                const auto end = std::min(last, first + kAtOnce - 1);
                for (auto number = first; number <= end; ++number) {
                    EntryRow row;
                    row.entry_id = EntryId::make(clock.now(), random);
                    row.sequence = number;
                    row.occurred_at = row.recorded_at = start + minutes{number};
                    row.action = "tests.happened";
                    row.actor = "[]";
                    row.data = data;
                    store.insert(tenant.text(), row);
                }
                store.set_head(tenant.text(), end);
            });
    }

    // Numbers of all pages, and how many pages it took.
    std::vector<std::int64_t> list_all(ListEntries wish, int* pages = nullptr) {
        std::vector<std::int64_t> shown;
        for (int i = 1; i < 100; ++i) {
            const auto page = log.list(call_of(tenant), wish).value();
            for (const auto& entry : page.items) shown.push_back(entry.sequence);
            if (pages) *pages = i;
            if (!page.next_cursor) return shown;
            wish.cursor = api::Cursor{*page.next_cursor};
        }
        ADD_FAILURE() << "no end";
        return shown;
    }
    std::vector<std::int64_t> listed(const ListEntries& wish) { return list_all(wish); }
    std::vector<std::int64_t> exported(ExportEntries wish) {
        std::vector<std::int64_t> shown;
        for (int i = 0; i < 100; ++i) {
            const auto lines = log.export_entries(call_of(tenant), wish).value();
            for (const auto& entry : lines.items) shown.push_back(entry.sequence);
            if (!lines.next_cursor) return shown;
            wish.cursor = api::Cursor{*lines.next_cursor};
        }
        ADD_FAILURE() << "no end";
        return shown;
    }

    using minutes = std::chrono::minutes;
    const Timestamp start = from_micros(1'760'000'000'000'000);
};

TEST_F(AuditLogTest, lists_newest_first_page_by_page_while_entries_are_added) {
    for (int number = 1; number <= 7; ++number) put(number);
    ListEntries wish;
    wish.limit.value.value = 3;
    const auto first = log.list(call_of(tenant), wish).value();
    put(8);
    ASSERT_TRUE(first.next_cursor);
    EXPECT_THAT(first.items[0].sequence, 7);
    wish.cursor = api::Cursor{*first.next_cursor};
    EXPECT_EQ(listed(wish), (std::vector<std::int64_t>{4, 3, 2, 1}));
}

TEST_F(AuditLogTest, an_action_is_named_whole_or_by_its_beginning_with_a_dot) {
    put(1, "member.added");
    put(2, "member.removed");
    put(3, "member");
    put(4, "members.counted");
    const auto of_action = [&](std::string text) {
        ListEntries wish;
        wish.action = FilterText{std::move(text)};
        return listed(wish);
    };
    EXPECT_THAT(of_action("member."), ElementsAre(2, 1));
    EXPECT_THAT(of_action("member.added"), ElementsAre(1));
    EXPECT_THAT(of_action("member"), ElementsAre(3));
    EXPECT_THAT(of_action("%"), IsEmpty());
}

TEST_F(AuditLogTest, an_actor_is_found_anywhere_in_the_chain_and_by_its_whole_id_only) {
    put_row(
        {.sequence = 1,
         .actor = R"([{"type":"user","id":"usr_1"},{"type":"api_key","id":"key_1"}])"}
    );
    put_row({.sequence = 2, .actor = R"([{"type":"user","id":"usr_12"}])"});
    const auto of_actor = [&](std::string text) {
        ListEntries wish;
        wish.actor = FilterText{std::move(text)};
        return listed(wish);
    };
    EXPECT_THAT(of_actor("usr_1"), ElementsAre(1));
    EXPECT_THAT(of_actor("key_1"), ElementsAre(1));
    EXPECT_THAT(of_actor("usr_12"), ElementsAre(2));
    EXPECT_THAT(of_actor("usr_"), IsEmpty());
    EXPECT_THAT(of_actor(R"(usr_1"},{"type":"api_key","id":"key_1)"), IsEmpty());
}

TEST_F(AuditLogTest, filters_that_are_given_have_to_fit_all) {
    put_row({.sequence = 1, .subject = "a", .request_id = "r1", .client_address = "192.0.2.1"});
    put_row({.sequence = 2, .subject = "a", .request_id = "r2", .client_address = "192.0.2.2"});
    put_row({.sequence = 3, .subject = "b", .request_id = "r2", .client_address = "192.0.2.2"});
    ListEntries wish;
    wish.subject = FilterText{"a"};
    EXPECT_THAT(listed(wish), ElementsAre(2, 1));
    wish.request_id = FilterText{"r2"};
    EXPECT_THAT(listed(wish), ElementsAre(2));
    wish.client_address = FilterText{"192.0.2.1"};
    EXPECT_THAT(listed(wish), IsEmpty());
}

TEST_F(AuditLogTest, a_time_begins_with_its_first_instant_and_ends_before_its_last) {
    for (int number = 1; number <= 6; ++number) put(number);
    put_row({.sequence = 7, .occurred_at = start + minutes{3}});  // told of late
    ListEntries wish;
    wish.from = start + minutes{2};
    wish.to = start + minutes{4};
    EXPECT_THAT(listed(wish), ElementsAre(7, 3, 2));
    ExportEntries part;
    part.from = wish.from;
    part.to = wish.to;
    EXPECT_THAT(exported(part), ElementsAre(2, 3, 7));
    wish.to.reset();
    EXPECT_THAT(listed(wish), ElementsAre(7, 6, 5, 4, 3, 2));
    wish.from = start + minutes{100};
    EXPECT_THAT(listed(wish), IsEmpty());
    wish.to = start;
    EXPECT_EQ(log.list(call_of(tenant), wish).error().code, "audit.range_invalid");
    part.from = wish.from;
    part.to = wish.to;
    EXPECT_EQ(log.export_entries(call_of(tenant), part).error().code, "audit.range_invalid");
}

TEST_F(AuditLogTest, a_page_looks_through_so_many_entries_and_says_where_to_go_on) {
    const auto count = kScannedMax + 100;
    put_many(1, count);
    put_row({.sequence = count + 1, .action = "tests.rare"});
    ListEntries wish;
    wish.action = FilterText{"tests.never"};
    int pages = 0;
    EXPECT_THAT(list_all(wish, &pages), IsEmpty());
    EXPECT_EQ(pages, 2);
    wish.action = FilterText{"tests.rare"};
    EXPECT_THAT(list_all(wish, &pages), ElementsAre(count + 1));
    EXPECT_EQ(pages, 2);
    EXPECT_EQ(exported({}).size(), static_cast<std::size_t>(count + 1));
}

TEST_F(AuditLogTest, a_cursor_of_another_list_is_refused) {
    put(1);
    ListEntries wish;
    for (const auto* key : {"-1", "1-2", "", "x", "99999999999999999999"}) {
        wish.cursor = api::Cursor{api::encode_cursor(key) + (*key ? "" : "A")};
        EXPECT_EQ(log.list(call_of(tenant), wish).error().code, "request.cursor_invalid") << key;
    }
    ExportEntries part;
    for (const auto* key : {"1", "1-", "-1", "1-2-3", "1-x"}) {
        part.cursor = api::Cursor{api::encode_cursor(key)};
        EXPECT_EQ(
            log.export_entries(call_of(tenant), part).error().code, "request.cursor_invalid"
        ) << key;
    }
}

TEST_F(AuditLogTest, an_export_ends_where_its_first_answer_said_though_entries_are_added) {
    put_many(1, 25);
    ExportEntries wish;
    wish.limit.value.value = 10;
    std::vector<std::int64_t> shown;
    for (std::int64_t next = 26;; ++next) {
        const auto lines = log.export_entries(call_of(tenant), wish).value();
        for (const auto& entry : lines.items) shown.push_back(entry.sequence);
        put(next);
        if (!lines.next_cursor) break;
        wish.cursor = api::Cursor{*lines.next_cursor};
    }
    ASSERT_EQ(shown.size(), 25U);
    for (std::size_t i = 0; i < shown.size(); ++i)
        EXPECT_EQ(shown[i], static_cast<std::int64_t>(i + 1));
}

TEST_F(AuditLogTest, each_answer_of_an_export_is_told_of) {
    put_many(1, 15);
    ExportEntries wish;
    wish.limit.value.value = 10;
    wish.from = start;
    EXPECT_EQ(exported(wish).size(), 15U);
    const auto told = testing::posted_messages(books);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].type, "audit.exported");
    EXPECT_EQ(told[0].kind, outbox::MessageKind::audit);
    EXPECT_EQ(told[0].tenant_id, tenant.text());
    EXPECT_EQ(told[0].data, R"({"from":")" + format_rfc3339(start) + R"(","isFirstPage":true})");
    EXPECT_EQ(told[1].data, R"({"from":")" + format_rfc3339(start) + R"(","isFirstPage":false})");
}

TEST_F(AuditLogTest, an_answer_of_an_export_ends_where_its_size_does) {
    put_many(1, 700, R"({"a":")" + std::string(kDataMax - 8, 'x') + "\"}");
    const auto lines = log.export_entries(call_of(tenant), {}).value();
    EXPECT_TRUE(lines.next_cursor);
    EXPECT_LT(lines.items.size() * kDataMax, kExportBytesMax + 110 * kDataMax);
    EXPECT_EQ(exported({}).size(), 700U);
}

TEST_F(AuditLogTest, another_tenant_sees_nothing) {
    const auto id = tell(call_of(tenant), "tests.secret");
    tell(call, "tests.of_the_installation");
    EXPECT_TRUE(relay());
    const EntryPath path{EntryId::parse(id).value()};
    EXPECT_EQ(log.get(call_of(tenant), path).value().action, "tests.secret");
    EXPECT_EQ(log.get(call_of(stranger), path).error().code, "audit.entry_not_found");
    EXPECT_THAT(log.list(call_of(stranger), {}).value().items, IsEmpty());
    EXPECT_THAT(log.export_entries(call_of(stranger), {}).value().items, IsEmpty());
    EXPECT_EQ(log.list(call_of(tenant), {}).value().items.size(), 1U);
}

TEST_F(AuditLogTest, an_entry_shows_what_the_message_had) {
    auto as = call_of(tenant);
    auto principal = *as.principal;
    principal.kind = PrincipalKind::api_key;
    principal.user = UserId::make(clock.now(), random);
    principal.credential_id = "key_1";
    as.principal = std::make_shared<const Principal>(principal);
    as.request_id = "req_1";
    as.client_address = "192.0.2.7";
    as.argument_digest = "abc";
    const auto id = tell(as, "api_key.created", R"({"name":"ro\u001bbot"})");
    EXPECT_TRUE(relay());
    const auto entry = log.get(as, {EntryId::parse(id).value()}).value();
    EXPECT_EQ(entry.sequence, 1);
    EXPECT_EQ(entry.action, "api_key.created");
    EXPECT_EQ(entry.subject, "sub_1");
    ASSERT_EQ(entry.actor.size(), 2U);
    EXPECT_EQ(entry.actor[0].type, "user");
    EXPECT_EQ(entry.actor[0].id, principal.user.text());
    EXPECT_EQ(entry.actor[1].type, "api_key");
    EXPECT_EQ(entry.actor[1].id, "key_1");
    EXPECT_EQ(entry.request_id, "req_1");
    EXPECT_EQ(entry.client_address, "192.0.2.7");
    EXPECT_EQ(entry.argument_digest, "abc");
    EXPECT_EQ(entry.on_behalf_of, std::nullopt);
    EXPECT_EQ(entry.data.value, R"({"name":"ro\u001bbot"})");
    EXPECT_EQ(entry.hash, head().hash);
    EXPECT_EQ(entry.prev_hash, "");
    EXPECT_GE(entry.recorded_at, entry.time);
}

}  // namespace
}  // namespace synapsex::audit

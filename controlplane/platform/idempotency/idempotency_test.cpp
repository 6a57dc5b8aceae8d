#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <thread>

#include "controlplane/platform/api/codec_impl.hpp"
#include "controlplane/platform/api/router.hpp"
#include "controlplane/platform/idempotency/answer_store.hpp"
#include "controlplane/platform/idempotency/migrations.hpp"
#include "controlplane/platform/idempotency/sealed_reply.hpp"
#include "controlplane/platform/idempotency/stored_answers.hpp"
#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "tests/support/crash_vfs.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::idempotency {

struct CreateNote {
    Text<1, 100> text;
};
BOOST_DESCRIBE_STRUCT(CreateNote, (), (text))
struct AddPage {
    Text<1, 20> book;
    Text<1, 100> text;
};
BOOST_DESCRIBE_STRUCT(AddPage, (), (book, text))
struct Note {
    std::int64_t number = 0;
    std::string secret;
};
BOOST_DESCRIBE_STRUCT(Note, (), (number, secret))

}  // namespace synapsex::idempotency

template struct synapsex::api::Codec<synapsex::idempotency::CreateNote>;
template struct synapsex::api::Codec<synapsex::idempotency::AddPage>;
template struct synapsex::api::Codec<synapsex::idempotency::Note>;

namespace synapsex::idempotency {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

constexpr db::Migration kNotes[] = {
    {1, "0001_create_notes", "CREATE TABLE notes (note TEXT NOT NULL) ${strict};"}};
constexpr db::Query kInsertNote{"notes.insert", "INSERT INTO notes (note) VALUES ($1)"};
constexpr db::Query kCountNotes{"notes.count", "SELECT count(*) AS notes FROM notes"};
constexpr db::Query kExpire{
    "answers.expire", "UPDATE platform_stored_answers SET expires_at = 1"};
constexpr db::Query kReadAnswers{
    "answers.read", "SELECT answer, expires_at FROM platform_stored_answers"};

constexpr api::Operation<CreateNote, Note> kCreateNote{
    .id = "notes.create", .method = api::Verb::post, .path = "/v1/notes",
    .access = auth::signed_in(), .success = 201, .summary = "Make a note."};
constexpr api::Operation<AddPage, Note> kAddPage{
    .id = "pages.add", .method = api::Verb::post, .path = "/v1/books/{book}/pages",
    .access = auth::signed_in(), .summary = "A note in a book."};
constexpr api::Operation<CreateNote, Note> kForgetfulNote{
    .id = "notes.forgetful", .method = api::Verb::post, .path = "/v1/forgetful-notes",
    .access = auth::signed_in(), .summary = "A handler whose write returns something else."};

class IdempotencyTest : public ::testing::Test {
 protected:
    IdempotencyTest() {
        mount(router, answers);
        mount(other_router, other_answers);
        caller.kind = PrincipalKind::user;
        caller.user = UserId::make(clock.now(), random);
        call.request_id = "req_1";
        call.tenant = TenantId::make(clock.now(), random);
        call.principal = std::make_shared<const Principal>(caller);
    }
    void mount(api::Router& to, StoredAnswers& kept_in) {
        to.keep_answers_in(&kept_in);
        to.mount(kCreateNote, [this](const Call& inner, const CreateNote& wish) {
            return create(inner, wish);
        });
        to.mount(kAddPage, [this](const Call& inner, const AddPage& wish) {
            return create(inner, {wish.text});
        });
        to.mount(kForgetfulNote, [this](const Call& inner, const CreateNote&) -> Result<Note> {
            SYNAPSEX_CHECK(database->write(inner, [](db::Session&) -> Result<Done> {
                return Done{};
            }));
            return Note{};
        });
    }
    Result<Note> create(const Call& inner, const CreateNote& wish) {
        std::exchange(before_write, [] {})();
        return database->write(inner, [&](db::Session& session) -> Result<Note> {
            if (refuses) return Problem{Kind::conflict, "notes.refused", "no"};
            session.execute(kInsertNote, wish.text);
            return Note{session.query(kCountNotes)[0].get<std::int64_t>("notes"), "hush"};
        });
    }
    // The same request at the other replica's router, if it is said so.
    api::Reply ask(
        std::string key, std::string text = "a", const api::Router* at = nullptr,
        std::string path = "/v1/notes"
    ) {
        api::RequestParts parts;
        parts.media_type = "application/json";
        parts.body = R"({"text":")" + text + R"("})";
        if (!key.empty()) parts.idempotency_key = std::move(key);
        const auto match = (at ? *at : router).find("POST", path);
        parts.path = match.path_parameters;
        return std::get<api::Reply>(match.route->handle(call, parts));
    }
    std::int64_t count_notes() {
        return database.in_read([](db::Session& session) {
            return session.query(kCountNotes)[0].get<std::int64_t>("notes");
        });
    }
    static bool is_replayed(const api::Reply& reply) {
        return std::ranges::find(
                   reply.headers, std::pair<std::string, std::string>{"Idempotent-Replayed", "true"}
               ) != reply.headers.end();
    }

    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    testing::TestDatabase database{clock, {{"idempotency", kMigrations}, {"notes", kNotes}}};
    StoredAnswers answers{*database, random, metrics, "main"};
    StoredAnswers other_answers{*database, random, metrics, "main"};  // of another replica
    api::Router router;
    api::Router other_router;
    Principal caller;
    Call call;
    bool refuses = false;
    std::function<void()> before_write = [] {};  // once
};

TEST_F(IdempotencyTest, the_same_request_gets_the_first_answer_and_changes_nothing) {
    const auto first = ask("k1");
    EXPECT_EQ(first.status, 201);
    EXPECT_FALSE(is_replayed(first));
    for (const auto* at : {&router, &other_router}) {
        const auto again = ask("k1", "a", at);
        EXPECT_EQ(again.status, 201);
        EXPECT_EQ(again.body, first.body);
        EXPECT_EQ(again.content_type, first.content_type);
        EXPECT_TRUE(is_replayed(again));
    }
    EXPECT_EQ(count_notes(), 1);
}

TEST_F(IdempotencyTest, another_key_or_none_is_another_request) {
    ask("k1");
    EXPECT_FALSE(is_replayed(ask("k2")));
    EXPECT_FALSE(is_replayed(ask("")));
    EXPECT_FALSE(is_replayed(ask("")));
    EXPECT_EQ(count_notes(), 4);
}

TEST_F(IdempotencyTest, the_key_with_another_body_is_refused) {
    ask("k1", "a");
    const auto other = ask("k1", "b");
    EXPECT_EQ(other.status, 422);
    EXPECT_THAT(other.body, HasSubstr("idempotency_key.reused"));
    EXPECT_EQ(count_notes(), 1);
}

TEST_F(IdempotencyTest, the_key_with_the_same_body_at_another_path_is_refused) {
    EXPECT_EQ(ask("k1", "a", &router, "/v1/books/one/pages").status, 200);
    EXPECT_TRUE(is_replayed(ask("k1", "a", &router, "/v1/books/one/pages")));
    const auto other = ask("k1", "a", &router, "/v1/books/two/pages");
    EXPECT_EQ(other.status, 422);
    EXPECT_THAT(other.body, HasSubstr("idempotency_key.reused"));
    EXPECT_EQ(count_notes(), 1);
}

TEST_F(IdempotencyTest, a_user_has_the_same_keys_in_another_session) {
    caller.credential_id = "ses_1";
    call.principal = std::make_shared<const Principal>(caller);
    ask("k1");
    caller.credential_id = "ses_2";
    call.principal = std::make_shared<const Principal>(caller);
    EXPECT_TRUE(is_replayed(ask("k1")));
}

TEST_F(IdempotencyTest, keys_are_the_callers_own) {
    ask("k1");
    const auto tenant = call.tenant;
    call.tenant = TenantId::make(clock.now(), random);
    EXPECT_FALSE(is_replayed(ask("k1"))) << "of another tenant";
    call.tenant = tenant;
    caller.user = UserId::make(clock.now(), random);
    call.principal = std::make_shared<const Principal>(caller);
    EXPECT_FALSE(is_replayed(ask("k1"))) << "of another user";
    call.principal = std::make_shared<const Principal>();
    EXPECT_FALSE(is_replayed(ask("k1"))) << "of nobody in particular";
    EXPECT_FALSE(is_replayed(ask("k1"))) << "who has no keys";
    EXPECT_EQ(count_notes(), 5);
}

TEST_F(IdempotencyTest, what_failed_is_not_stored_and_may_succeed_later) {
    refuses = true;
    EXPECT_EQ(ask("k1").status, 409);
    refuses = false;
    EXPECT_EQ(ask("k1").status, 201);
    EXPECT_TRUE(is_replayed(ask("k1")));
    EXPECT_EQ(count_notes(), 1);
}

TEST_F(IdempotencyTest, while_the_first_is_at_work_the_second_is_told_so) {
    before_write = [&] {
        const auto second = ask("k1");
        EXPECT_EQ(second.status, 409);
        EXPECT_THAT(second.body, HasSubstr("idempotency_key.in_flight"));
        EXPECT_THAT(second.headers, ::testing::Contains(::testing::Key("Retry-After")));
        EXPECT_EQ(ask("k2").status, 201) << "another key is not held up";
    };
    EXPECT_EQ(ask("k1").status, 201);
    EXPECT_TRUE(is_replayed(ask("k1")));
}

// The other replica looks for the answer before the first has committed it, and writes after.
TEST_F(IdempotencyTest, one_that_was_overtaken_in_another_replica_gets_the_first_answer) {
    before_write = [&] {
        EXPECT_FALSE(is_replayed(ask("k1", "a", &other_router)));
    };
    const auto overtaken = ask("k1");
    EXPECT_EQ(overtaken.status, 201);
    EXPECT_TRUE(is_replayed(overtaken));
    EXPECT_EQ(count_notes(), 1);
}

TEST_F(IdempotencyTest, thirty_two_equal_requests_at_once_make_one_note) {
    std::latch start{32};
    std::atomic<int> made{0};
    std::atomic<int> others{0};
    std::vector<std::thread> crowd;
    for (int i = 0; i < 32; ++i)
        crowd.emplace_back([&, i] {
            start.arrive_and_wait();
            const auto reply = ask("k1", "a", i % 2 == 0 ? &router : &other_router);
            if (reply.status == 201 && !is_replayed(reply)) ++made;
            else if (reply.status != 201 && reply.status != 409) ++others;
        });
    for (auto& thread : crowd) thread.join();
    EXPECT_EQ(made, 1);
    EXPECT_EQ(others, 0);
    EXPECT_EQ(count_notes(), 1);
}

TEST_F(IdempotencyTest, an_answer_is_kept_for_24_hours) {
    ask("k1");
    const auto kept_for = database.in_read([](db::Session& session) {
        return session.query(kReadAnswers)[0].get<Timestamp>("expires_at") - session.now();
    });
    EXPECT_LE(kept_for, 24h);
    EXPECT_GT(kept_for, 23h + 50min);
}

TEST_F(IdempotencyTest, an_answer_is_kept_no_longer_than_it_says) {
    ask("k1");
    database.in_write([](db::Session& session) { session.execute(kExpire); });
    EXPECT_FALSE(is_replayed(ask("k1", "b")));
    EXPECT_TRUE(is_replayed(ask("k1", "b")));
    EXPECT_EQ(count_notes(), 2);
}

TEST_F(IdempotencyTest, expired_answers_are_pruned) {
    ask("k1");
    database.in_write([](db::Session& session) { session.execute(kExpire); });
    ask("k2");
    EXPECT_TRUE(answers.prune(Call::system("test", Deadline::never()), clock));
    const auto left = database.in_read([](db::Session& session) {
        return session.query(kReadAnswers).size();
    });
    EXPECT_EQ(left, 1U);
}

TEST_F(IdempotencyTest, nobody_reads_an_answer_without_the_key) {
    const auto first = ask("k1");
    EXPECT_THAT(first.body, HasSubstr("hush"));
    const auto stored = database.in_read([](db::Session& session) {
        return session.query(kReadAnswers)[0].get<std::string>("answer");
    });
    EXPECT_THAT(stored, Not(HasSubstr("hush")));
    EXPECT_THAT(stored, Not(HasSubstr("number")));
    const auto sealed = seal_reply(first, "k1", "place", random);
    EXPECT_EQ(open_reply(sealed, "k1", "place").body, first.body);
    EXPECT_THROW(open_reply(sealed, "k2", "place"), db::DatabaseError);
    EXPECT_THROW(open_reply(sealed, "k1", "another"), db::DatabaseError);
}

// It would be lost: the handler's value is not what its write returned.
TEST_F(IdempotencyTest, an_operation_that_does_not_store_its_answer_fails_loudly) {
    EXPECT_THROW(ask("k1", "a", &router, "/v1/forgetful-notes"), std::logic_error);
    EXPECT_EQ(ask("", "a", &router, "/v1/forgetful-notes").status, 200);
}

TEST_F(IdempotencyTest, every_statement_is_right_on_this_engine) {
    database->prepare_all(AnswerStore::queries());
}

TEST(IdempotencyKey, is_read_bare_and_quoted) {
    EXPECT_EQ(api::parse_idempotency_key("abc-123").value(), "abc-123");
    EXPECT_EQ(api::parse_idempotency_key("\"abc-123\"").value(), "abc-123");
    EXPECT_EQ(api::parse_idempotency_key(R"("a \"b\" \\")").value(), R"(a "b" \)");
    EXPECT_EQ(api::parse_idempotency_key(std::string(255, 'k')).value().size(), 255U);
    for (const auto* const wrong :
         {"", "\"\"", "a b", "\"a", "a\x7f", "\"a\"; b", "\"a\\b\"", "\"a\"b\"", "k1, k2",
          "\"\\\""})
        EXPECT_EQ(api::parse_idempotency_key(wrong).error().code, "idempotency_key.malformed")
            << wrong;
    EXPECT_FALSE(api::parse_idempotency_key(std::string(256, 'k')));
    EXPECT_FALSE(api::parse_idempotency_key("caf\xc3\xa9"));
}

// A disk of its own that loses its power in the middle of four requests.
class Crashed : public IdempotencyTest {
 protected:
    // What a start finds on a disk, and serves.
    class Server {
     public:
        Server(Crashed& test, const std::filesystem::path& path, const std::string& vfs)
            : test_(test),
              database_(db::open_sqlite(
                  {.path = path, .readers_max = 1, .vfs = vfs}, test.clock, metrics_
              )) {
            const db::ServiceMigrations services[] = {
                {"idempotency", kMigrations}, {"outbox", outbox::kMigrations}, {"notes", kNotes}};
            db::migrate(*database_, services, test.clock);
            router_.keep_answers_in(&answers_);
            router_.mount(kCreateNote, [this](const Call& inner, const CreateNote& wish) {
                return create(inner, wish);
            });
        }
        // nullopt: the disk did not let it.
        std::optional<api::Reply> ask(const std::string& key) {
            try {
                return test_.ask(key, key, &router_);
            } catch (const db::DatabaseError&) {
                return std::nullopt;
            }
        }
        std::vector<std::int64_t> count_all() {
            static constexpr db::Query kCountAll{"test.count_all", R"sql(
                SELECT (SELECT count(*) FROM notes) AS notes,
                       (SELECT count(*) FROM platform_stored_answers) AS answers,
                       (SELECT COALESCE(SUM(messages), 0) FROM platform_outbox_posted)
                           AS messages)sql"};
            const auto rows = database_->read(test_.call, [](db::Session& s) -> Result<db::Rows> {
                return s.query(kCountAll);
            });
            const auto row = rows.value()[0];
            return {row.get<std::int64_t>("notes"), row.get<std::int64_t>("answers"),
                    row.get<std::int64_t>("messages")};
        }

     private:
        Result<Note> create(const Call& inner, const CreateNote& wish) {
            const auto news = outbox::MessageId::make(test_.clock.now(), test_.random);
            return database_->write(inner, [&](db::Session& session) -> Result<Note> {
                session.execute(kInsertNote, wish.text);
                outbox::add(
                    session, inner, {news, test_.clock.now(), "note.created", wish.text.value}
                );
                return Note{1, "hush"};
            });
        }

        Crashed& test_;
        Metrics metrics_;
        std::unique_ptr<db::Database> database_;
        StoredAnswers answers_{*database_, test_.random, metrics_, "main"};
        api::Router router_;
    };

    // Asks until the power goes; how many were answered.
    std::int64_t ask_until_dark(testing::CrashVfs& disk, std::uint64_t cut) {
        std::filesystem::create_directory(folder.path() / "disk");
        Server server{*this, folder.path() / "disk/x.db", disk.name()};
        disk.plan(disk.operations() + cut, testing::Fault::power_cut);
        std::int64_t answered = 0;
        for (const auto* key : kKeys)
            if (server.ask(key)) ++answered;
        return answered;
    }
    void check_remains(const std::filesystem::path& remains, std::int64_t answered) {
        Server server{*this, remains / "x.db", ""};
        const auto there = server.count_all();
        EXPECT_GE(there[0], answered);
        EXPECT_THAT(there, ::testing::Each(there[0]));
        // Those who got no answer ask again.
        for (const auto* key : kKeys) EXPECT_EQ(server.ask(key)->status, 201);
        EXPECT_THAT(server.count_all(), ::testing::Each(4));
    }

    static constexpr std::array kKeys{"k1", "k2", "k3", "k4"};
    testing::TemporaryFolder folder{testing::memory_folder()};
};

TEST_F(Crashed, a_power_cut_leaves_effect_message_and_answer_together_or_none_of_them) {
    std::uint64_t cut = 0;
    for (bool is_cut = true; is_cut && !HasFailure();) {
        SCOPED_TRACE("power cut at operation " + std::to_string(++cut));
        testing::CrashVfs disk;
        const auto answered = ask_until_dark(disk, cut);
        is_cut = answered < 4;
        for (const auto loss : {testing::Loss::all, testing::Loss::some, testing::Loss::torn}) {
            SCOPED_TRACE("loss " + std::to_string(static_cast<int>(loss)));
            testing::SeededRandom seeded{cut};
            disk.leave_remains(folder.path() / "remains", loss, seeded);
            check_remains(folder.path() / "remains", answered);
            std::filesystem::remove_all(folder.path() / "remains");
        }
        std::filesystem::remove_all(folder.path() / "disk");
    }
    EXPECT_GT(cut, 20U);
}

}  // namespace
}  // namespace synapsex::idempotency

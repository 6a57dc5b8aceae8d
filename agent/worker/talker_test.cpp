// The whole worker but for its process: a real HTTP client, a real spool and real files against a
// FakeControlPlane. Nothing sleeps; the server tells when something has arrived.

#include "agent/worker/talker.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool/spool_file.hpp"
#include "agent/spool/stalling_disk.hpp"
#include "agent/v1/agent.pb.h"
#include "agent/worker/enroller.hpp"
#include "agent/worker/files.hpp"
#include "agent/worker/test_parts.hpp"
#include "shared/crypto/hash.hpp"
#include "shared/net/curl_http_client.hpp"
#include "tests/support/fake_control_plane.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using synapsex::testing::FakeControlPlane;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

EncodedSample sample_of(std::int64_t slot) {
    v1::TelemetrySample sample;
    sample.set_slot(slot);
    sample.set_load1_centi(42);
    return {slot, sample.SerializeAsString()};
}

class TalkerTest : public ::testing::Test {
 protected:
    TalkerTest() { write_file_atomically_or_die(token_file(), FakeControlPlane::kToken); }
    ~TalkerTest() override {
        disk_.recover();
        inventory_.recover();
        stop_talking();
        talker_.reset();
    }

    std::filesystem::path token_file() const { return directory_.path() / "token"; }

    static void write_file_atomically_or_die(
        const std::filesystem::path& path, std::string_view content
    ) {
        ASSERT_TRUE(write_file_atomically(path, content, FileDurability::cached));
    }

    Result<Identity> enroll() {
        Enroller enroller{http_, random_, stop_};
        return enroller.enroll(
            {.url = server_.url(),
             .token_file = token_file(),
             .name = "web-1",
             .boot_id = "boot-1",
             .agent_version = "0.1.0"},
            store_
        );
    }

    void start_talking() {
        const auto identity = store_.find_identity();
        ASSERT_TRUE(identity && *identity);
        TalkerFacts facts{
            .identity = **identity,
            .keys = *key_files_.load(),
            .boot_id = "boot-1",
            .agent_version = "0.1.0",
            .state_path = directory_.path() / "worker-state.json",
        };
        const TalkerParts parts{
            .http = http_,
            .spool = spool_,
            .key_files = key_files_,
            .inventory = inventory_,
            .executor = executor_,
            .time_floor = time_floor_,
            .certificate_clock = certificate_clock_,
            .clock = clock_,
            .random = random_,
            .stop = stop_,
            .is_token_there = [this] { return ++token_looks_ == looks_until_token_; },
            .token_look_every = std::chrono::milliseconds{1},
            .pause = [this] { return pause_.load() ? std::optional{kPause} : std::nullopt; },
        };
        talker_ = std::make_unique<Talker>(parts, std::move(facts));
        thread_ = std::thread{[this] { end_ = talker_->run(); }};
    }

    // Lets time pass until the server has seen it; false if it never does.
    bool comes_in_time(const std::function<bool(const FakeControlPlane&)>& condition) {
        for (int i = 0; i < 100; ++i) {
            if (server_.wait_until(condition, std::chrono::milliseconds{200})) return true;
            clock_.advance(std::chrono::seconds{10});
        }
        return false;
    }

    void stop_talking() {
        http_.cancel();
        stop_.request();
        if (thread_.joinable()) thread_.join();
    }

    synapsex::testing::TemporaryFolder directory_;
    FakeControlPlane server_;
    net::CurlHttpClient http_;
    testing::MovableClock clock_;
    SystemRandom random_;
    StopSignal stop_;
    IdentityStore store_{directory_.path()};
    AgentKeyFiles key_files_{directory_.path()};
    SpoolFile file_{directory_.path() / "spool.db", {}};
    testing::StallingDisk disk_{file_};
    Spool spool_{disk_, 1};
    testing::FakeInventory inventory_;
    testing::FakeExecutor executor_;
    const PauseNotice kPause{.since = from_micros(5), .reason = "disk swap"};
    std::atomic<bool> pause_ = false;
    TimeFloor time_floor_{directory_.path() / "time.floor"};
    CertificateClock certificate_clock_{time_floor_, clock_};
    int looks_until_token_ = 0;  // for a token; 0: there never is one
    std::atomic<int> token_looks_ = 0;
    std::unique_ptr<Talker> talker_;
    Talker::End end_ = Talker::End::stopped;
    std::thread thread_;
};

TEST_F(TalkerTest, an_agent_that_is_forgotten_looks_for_a_token_and_asks_nobody_meanwhile) {
    ASSERT_TRUE(enroll());
    std::atomic<int> asked = 0;
    server_.set_script([&asked](const FakeControlPlane::Request& request) {
        std::optional<FakeControlPlane::Answer> answer;
        if (request.path == "/v1/auth/token" && ++asked > 0)
            answer.emplace(401, R"({"code":"auth.agent_revoked","detail":"It was removed."})");
        return answer;
    });
    looks_until_token_ = 50;
    start_talking();
    thread_.join();
    EXPECT_EQ(end_, Talker::End::token_found);
    EXPECT_EQ(token_looks_, 50);
    EXPECT_EQ(asked, 1);
}

TEST_F(TalkerTest, an_agent_whose_control_plane_is_away_looks_for_no_token) {
    ASSERT_TRUE(enroll());
    server_.set_script([](const FakeControlPlane::Request& request) {
        std::optional<FakeControlPlane::Answer> answer;
        if (request.path == "/v1/auth/token") answer = {503, "", {"Retry-After: 3600"}};
        return answer;
    });
    looks_until_token_ = 1;
    start_talking();
    const auto says_until_when = [this] {
        const auto state = read_state_file(directory_.path() / "worker-state.json");
        return state && state->asks_again_at != Timestamp{};
    };
    const SystemClock clock;
    const auto deadline = Deadline::after(clock, std::chrono::seconds{20});
    while (!says_until_when() && !deadline.is_expired(clock)) std::this_thread::yield();
    EXPECT_TRUE(says_until_when());
    stop_talking();
    EXPECT_EQ(end_, Talker::End::stopped);
    EXPECT_EQ(token_looks_, 0);
}

TEST_F(TalkerTest, announces_itself_and_sends_the_inventory_that_is_wanted) {
    ASSERT_TRUE(enroll());
    server_.set_want_sections({"os", "cpu", "sockets-of-tomorrow"});
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) { return server.sections().size() == 2; })
    );
    stop_talking();
    EXPECT_THAT(server_.sections(), UnorderedElementsAre(Pair("os", "bytes-of-os"),
                                                         Pair("cpu", "bytes-of-cpu")));
    const auto& first = server_.heartbeats().front();
    EXPECT_THAT(first.hashes, UnorderedElementsAre(Pair("os", "hash-of-os"),
                                                   Pair("cpu", "hash-of-cpu")));
    EXPECT_EQ(first.executor, "ok");
    EXPECT_THAT(first.capabilities, ElementsAre(1, 2, 3, 4, 5, 7));
    EXPECT_TRUE(server_.heartbeats()[1].hashes.empty()) << "what has not changed is not sent";
}

TEST_F(TalkerTest, tells_of_a_pause_for_as_long_as_there_is_one) {
    ASSERT_TRUE(enroll());
    pause_ = true;
    start_talking();
    ASSERT_TRUE(comes_in_time([](const auto& server) { return !server.heartbeats().empty(); }));
    const auto first = server_.heartbeats().front();
    EXPECT_EQ(first.pause_reason, "disk swap");
    EXPECT_THAT(first.capabilities, ElementsAre(1, 2, 3, 4, 5, 6, 7));
    pause_ = false;
    EXPECT_TRUE(comes_in_time([](const auto& server) {
        return !server.heartbeats().empty() && !server.heartbeats().back().pause_reason;
    }));
    stop_talking();
    EXPECT_THAT(server_.heartbeats().back().capabilities, ElementsAre(1, 2, 3, 4, 5, 7));
}

TEST_F(TalkerTest, catches_up_in_order_and_once_after_the_server_was_away) {
    ASSERT_TRUE(enroll());
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) { return !server.heartbeats().empty(); })
    );
    server_.stop();
    for (std::int64_t slot = 1; slot <= 1000; ++slot) {
        spool_.append(sample_of(slot));
        // No more than may wait for the disk, with those that are being written.
        if (slot % 100 == 0) disk_.wait_for_appended(static_cast<std::size_t>(slot));
    }
    server_.start();
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.stored_slots().size() == 1000 && server.heartbeats().back().slots.empty();
    }));
    stop_talking();

    std::vector<std::int64_t> slots;
    for (const auto& heartbeat : server_.heartbeats())
        slots.insert(slots.end(), heartbeat.slots.begin(), heartbeat.slots.end());
    EXPECT_EQ(slots.size(), 1000U) << "every sample is sent once";
    EXPECT_TRUE(std::ranges::is_sorted(slots));
    EXPECT_TRUE(spool_.oldest(1, 1000).empty());
    EXPECT_EQ(spool_.backlog().samples, 0U);
}

TEST_F(TalkerTest, goes_on_without_telemetry_while_the_disk_stalls) {
    ASSERT_TRUE(enroll());
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) { return !server.heartbeats().empty(); })
    );
    disk_.stall();
    for (std::int64_t slot = 1; slot <= 200; ++slot) spool_.append(sample_of(slot));
    const auto seen = server_.heartbeats().size();
    ASSERT_TRUE(server_.wait_until([&](const auto& server) {
        return server.heartbeats().size() >= seen + 3 && server.stored_slots().empty();
    }));
    disk_.recover();
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.stored_slots().size() == 200;
    })) << "no slot is lost by it";
}

TEST_F(TalkerTest, beats_while_a_section_cannot_be_collected) {
    ASSERT_TRUE(enroll());
    inventory_.hang_at("os");
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.heartbeats().size() >= 2;
    }));
    inventory_.recover();
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.heartbeats().back().hashes.size() == 2;
    })) << "announced as soon as it is known";
}

TEST_F(TalkerTest, sends_sections_that_take_long_though_each_is_collected_but_once) {
    ASSERT_TRUE(enroll());
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) { return !server.heartbeats().empty(); })
    );
    for (const auto* section : {"cpu", "os"}) inventory_.hang_at(section);
    server_.set_want_sections({"cpu", "os"});
    for (const auto* section : {"cpu", "os"}) {
        inventory_.wait_for_looks(section, 2);
        const auto seen = server_.heartbeats().size();
        ASSERT_TRUE(comes_in_time([&](const auto& server) {
            return server.heartbeats().size() >= seen + 3;
        })) << "presence does not wait for it";
        inventory_.let_through(section);
        ASSERT_TRUE(comes_in_time([&](const auto& server) {
            return server.sections().contains(section);
        })) << section;
    }
    EXPECT_EQ(inventory_.looks("cpu"), 2) << "with the first look";
    EXPECT_EQ(inventory_.looks("os"), 2);
}

TEST_F(TalkerTest, sends_no_section_that_is_older_than_what_it_has_announced) {
    ASSERT_TRUE(enroll());
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) { return !server.heartbeats().empty(); })
    );
    inventory_.hang_at("os");
    server_.set_want_sections({"os"});
    inventory_.wait_for_looks("os", 2);
    // It takes long: the heartbeat that goes first is held.
    server_.set_hold_max(std::chrono::seconds{60});
    server_.set_want_sections({});
    const auto seen = server_.heartbeats().size();
    ASSERT_TRUE(server_.wait_until([&](const auto& server) {
        return server.heartbeats().size() > seen && server.heartbeats().back().hold_seconds > 0;
    }));
    // Meanwhile it is collected, and then changes; the next look comes before the answer is sent.
    inventory_.change("os");
    inventory_.recover();
    clock_.advance(std::chrono::minutes{2});
    server_.release_hold("news");
    ASSERT_TRUE(comes_in_time([](const auto& server) { return server.sections().contains("os"); }));
    // Stopping may cancel the answer, and then it would be sent, and looked at, once more.
    const auto looks = inventory_.looks("os");
    stop_talking();
    EXPECT_EQ(server_.sections().at("os"), "bytes-of-os-1");
    EXPECT_EQ(looks, 4);
}

TEST_F(TalkerTest, beats_while_the_state_file_cannot_be_written) {
    ASSERT_TRUE(enroll());
    // Whoever opens it to write waits for a reader.
    const auto stalled = directory_.path() / "worker-state.json.new";
    ASSERT_EQ(::mkfifo(stalled.c_str(), 0600), 0);
    start_talking();
    EXPECT_TRUE(server_.wait_until([](const auto& server) {
        return server.heartbeats().size() >= 4;
    }));
    const int reader = ::open(stalled.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    stop_talking();
    talker_.reset();
    ::close(reader);
}

TEST_F(TalkerTest, keeps_a_sample_that_came_between_those_that_were_sent) {
    ASSERT_TRUE(enroll());
    for (const std::int64_t slot : {10, 12}) spool_.append(sample_of(slot));
    disk_.wait_for_appended(2);
    server_.set_hold_max(std::chrono::seconds{60});
    start_talking();
    // The first is answered at once; the second, held, carries what comes now.
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.heartbeats().size() == 2;
    }));
    for (const std::int64_t slot : {20, 22}) spool_.append(sample_of(slot));
    disk_.wait_for_appended(4);
    server_.release_hold("news");
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.stored_slots().contains(22);
    }));
    // A clock that was set back while 20 and 22 are on their way.
    spool_.append(sample_of(21));
    disk_.wait_for_appended(5);
    server_.release_hold("news");
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.stored_slots().contains(21);
    }));
}

TEST_F(TalkerTest, gives_up_a_sample_that_the_server_refuses_and_sends_the_others) {
    ASSERT_TRUE(enroll());
    for (const std::int64_t slot : {1, 2, 3}) spool_.append(sample_of(slot));
    server_.set_script([](const FakeControlPlane::Request& request) {
        std::optional<FakeControlPlane::Answer> answer;
        v1::HeartbeatRequest heartbeat;
        if (!request.path.ends_with("/heartbeat") || !heartbeat.ParseFromString(request.body))
            return answer;
        for (const auto& sample : heartbeat.telemetry())
            if (sample.slot() == 1) answer = {400, R"({"code":"telemetry.bad"})"};
        return answer;
    });
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.stored_slots() == std::set<std::int64_t>{2, 3};
    }));
    EXPECT_EQ(spool_.dropped_samples(), 1U);
}

TEST_F(TalkerTest, keeps_what_the_server_has_not_stored) {
    ASSERT_TRUE(enroll());
    spool_.append(sample_of(7));
    bool is_sent = false;  // used under the server's lock
    server_.set_script([&](const FakeControlPlane::Request& request) {
        std::optional<FakeControlPlane::Answer> answer;
        v1::HeartbeatRequest heartbeat;
        if (!request.path.ends_with("/heartbeat") || !heartbeat.ParseFromString(request.body))
            return answer;
        is_sent = is_sent || heartbeat.telemetry_size() > 0;
        const v1::HeartbeatAnswer nothing_stored;
        answer = {200, nothing_stored.SerializeAsString()};
        return answer;
    });
    start_talking();
    ASSERT_TRUE(server_.wait_until([&](const auto&) { return is_sent; }));
    server_.set_script(nullptr);
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.stored_slots().contains(7);
    }));
}

TEST_F(TalkerTest, numbers_heartbeats_without_gaps) {
    ASSERT_TRUE(enroll());
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.heartbeats().size() >= 4;
    }));
    stop_talking();
    const auto& heartbeats = server_.heartbeats();
    for (std::size_t i = 1; i < heartbeats.size(); ++i) {
        // A goodbye may follow a poll that was canceled on its way: that number is used up.
        const auto step = heartbeats[i].sequence - heartbeats[i - 1].sequence;
        if (heartbeats[i].goodbye.empty()) {
            EXPECT_EQ(step, 1U);
        } else {
            EXPECT_EQ(std::clamp<std::uint64_t>(step, 1, 2), step);
        }
    }
}

TEST_F(TalkerTest, fetches_a_new_token_when_the_old_one_is_refused) {
    ASSERT_TRUE(enroll());
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) { return !server.heartbeats().empty(); })
    );
    server_.revoke_tokens();
    const auto seen = server_.heartbeats().size();
    ASSERT_TRUE(server_.wait_until([&](const auto& server) {
        return server.tokens_given() == 2 && server.heartbeats().size() > seen;
    }));
}

TEST_F(TalkerTest, waits_before_it_polls_again_when_another_has_taken_its_place) {
    ASSERT_TRUE(enroll());
    server_.set_hold_max(std::chrono::seconds{60});
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.heartbeats().size() == 2;
    }));
    const auto released_at = clock_.steady_now();
    server_.release_hold("superseded");
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.heartbeats().size() == 3;
    }));
    EXPECT_GE(clock_.steady_now() - released_at, std::chrono::seconds{1});
}

TEST_F(TalkerTest, says_goodbye_at_once_while_a_poll_is_held) {
    ASSERT_TRUE(enroll());
    server_.set_hold_max(std::chrono::seconds{60});
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& server) {
        return server.heartbeats().size() == 2;
    }));
    const auto asked_at = clock_.steady_now();
    stop_talking();
    EXPECT_LT(clock_.steady_now() - asked_at, std::chrono::seconds{3});
    EXPECT_EQ(server_.heartbeats().back().goodbye, "stopping");
    EXPECT_EQ(server_.heartbeats().back().hold_seconds, 0U);
}

TEST_F(TalkerTest, replaces_its_key_when_it_is_asked_to) {
    ASSERT_TRUE(enroll());
    const auto first = key_files_.load()->current.key_id();
    std::vector<std::string> assertions;
    server_.set_script([&](const FakeControlPlane::Request& request) {
        if (request.path == "/v1/auth/token") assertions.push_back(request.body);
        return std::optional<FakeControlPlane::Answer>{};
    });
    start_talking();
    ASSERT_TRUE(server_.wait_until([](const auto& seen) { return seen.heartbeats().size() > 1; }));
    server_.want_another_key();
    ASSERT_TRUE(comes_in_time([](const auto& seen) { return seen.sections().contains("key"); }));
    ASSERT_TRUE(comes_in_time([&](const auto&) { return assertions.size() > 1; }));
    const auto beats = server_.heartbeats().size();
    ASSERT_TRUE(comes_in_time([&](const auto& seen) { return seen.heartbeats().size() > beats; }));
    stop_talking();
    const auto keys = key_files_.load();
    ASSERT_TRUE(keys);
    EXPECT_NE(keys->current.key_id(), first);
    ASSERT_TRUE(keys->former);
    EXPECT_EQ(keys->former->key_id(), first);
    EXPECT_FALSE(keys->next);
    // What bought the last token is signed with what agent.key holds now.
    const auto text = assertions.back().substr(assertions.back().rfind('=') + 1);
    const auto end = text.rfind('.');
    EXPECT_TRUE(crypto::verify_ed25519(
        keys->current.public_key(), text.substr(0, end),
        crypto::from_base64url(text.substr(end + 1)).value()
    ));
}

}  // namespace
}  // namespace synapsex::agent

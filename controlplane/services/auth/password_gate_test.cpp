#include "controlplane/services/auth/password_gate.hpp"

#include <atomic>
#include <thread>

#include "controlplane/services/auth/auth_fixture.hpp"

namespace synapsex::auth {
namespace {

using namespace std::chrono_literals;

class PasswordGateTest : public ::testing::Test {
 protected:
    testing::FakeClock clock;
    testing::SeededRandom random;
    Call call = Call::system("test", Deadline::never());
};

TEST_F(PasswordGateTest, knows_right_from_wrong) {
    PasswordGate gate{clock, random, kCheap, {}};
    const auto hash = gate.hash(call, kPassword).value();
    EXPECT_TRUE(gate.check(call, kPassword, hash)->is_right);
    EXPECT_FALSE(gate.check(call, "wrong", hash)->is_right);
    EXPECT_FALSE(gate.check(call, kPassword, std::nullopt)->is_right);
}

TEST_F(PasswordGateTest, costs_what_owasp_asks_for_with_a_salt_of_16_bytes_and_a_tag_of_32) {
    PasswordGate gate{clock, random, {}, {}};
    const auto hash = gate.hash(call, kPassword).value();
    const std::string parameters = "$argon2id$v=19$m=19456,t=2,p=1$";
    ASSERT_THAT(hash, ::testing::StartsWith(parameters));
    EXPECT_THAT(
        hash.substr(parameters.size()),
        ::testing::MatchesRegex("[A-Za-z0-9+/]{22}\\$[A-Za-z0-9+/]{43}")
    );
    EXPECT_NE(hash, gate.hash(call, kPassword).value()) << "salted";
    const auto verdict = gate.check(call, kPassword, hash).value();
    EXPECT_TRUE(verdict.is_right && !verdict.better_hash);
    EXPECT_TRUE(gate.check(call, kPassword, crypto::hash_password(kPassword, random, kCheap))
                    ->better_hash) << "one of a cheaper day";
}

TEST_F(PasswordGateTest, hashes_again_when_the_cost_has_risen_and_only_then) {
    PasswordGate yesterday{clock, random, kCheap, {}};
    const auto hash = yesterday.hash(call, kPassword).value();
    EXPECT_FALSE(yesterday.check(call, kPassword, hash)->better_hash);
    PasswordGate today{clock, random, {.memory_kib = 128, .passes = 1}, {}};
    EXPECT_FALSE(today.check(call, "wrong", hash)->better_hash);
    const auto better = today.check(call, kPassword, hash)->better_hash;
    ASSERT_TRUE(better);
    EXPECT_TRUE(better->starts_with("$argon2id$v=19$m=128,"));
    EXPECT_TRUE(today.check(call, kPassword, better)->is_right);
    EXPECT_FALSE(today.check(call, kPassword, better)->better_hash);
}

TEST_F(PasswordGateTest, refuses_with_retry_after_when_two_run_and_the_wait_is_over) {
    PasswordGate gate{clock, random, kCheap, {.wait_max = 0ms}};
    const auto first = gate.enter(call);
    {
        const auto second = gate.enter(call);
        ASSERT_TRUE(first && second);
        const auto third = gate.hash(call, kPassword);
        ASSERT_FALSE(third);
        EXPECT_EQ(third.error().code, "auth.busy");
        EXPECT_EQ(third.error().kind, Kind::unavailable);
        EXPECT_TRUE(third.error().retry_after);
    }
    EXPECT_TRUE(gate.hash(call, kPassword));
}

TEST_F(PasswordGateTest, waits_no_longer_than_the_call_has) {
    PasswordGate gate{clock, random, kCheap, {.running_max = 1, .wait_max = 1h}};
    const auto first = gate.enter(call);
    const auto late = Call::system("test", Deadline::at(clock.steady_now()));
    EXPECT_EQ(code_of(gate.hash(late, kPassword)), "auth.busy");
}

TEST_F(PasswordGateTest, refuses_at_once_when_too_many_wait) {
    PasswordGate gate{clock, random, kCheap, {.running_max = 1, .waiting_max = 0, .wait_max = 1h}};
    const auto first = gate.enter(call);
    EXPECT_EQ(code_of(gate.hash(call, kPassword)), "auth.busy");
}

TEST_F(PasswordGateTest, lets_a_crowd_through_two_at_a_time) {
    PasswordGate gate{clock, random, kCheap, {.waiting_max = 100, .wait_max = 1h}};
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::atomic<int> passed{0};
    std::vector<std::thread> crowd;
    for (int i = 0; i < 16; ++i) {
        crowd.emplace_back([&] {
            const auto permit = gate.enter(call);
            const int now = ++inside;
            int seen = most.load();
            while (now > seen && !most.compare_exchange_weak(seen, now)) {}
            std::this_thread::yield();
            --inside;
            if (permit) ++passed;
        });
    }
    for (auto& one : crowd) one.join();
    EXPECT_EQ(passed, 16);
    EXPECT_LE(most, 2);
}

}  // namespace
}  // namespace synapsex::auth

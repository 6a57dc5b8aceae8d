#include "shared/net/resolver.hpp"

#include <atomic>
#include <latch>

#include <gmock/gmock.h>

namespace synapsex::net {
namespace {

using namespace std::chrono_literals;

const IpAddress kAddress = IpAddress::parse("192.0.2.1").value();

Deadline within(std::chrono::milliseconds budget) {
    return Deadline::after(SystemClock{}, budget);
}

TEST(SystemResolver, finds_this_machine_without_a_name_server) {
    SystemResolver resolver;
    const auto addresses = resolver.resolve("localhost", within(10s));
    ASSERT_TRUE(addresses) << addresses.error().detail;
    EXPECT_THAT(*addresses, ::testing::Contains(IpAddress::parse("127.0.0.1").value()));
}

TEST(SystemResolver, says_that_a_host_has_no_address) {
    SystemResolver resolver{[](const std::string& host) { return look_up(host); }};
    // Longer than a name can be: refused before anybody is asked.
    EXPECT_EQ(resolver.resolve(std::string(300, 'a'), within(10s)).error().code, kUnresolved);
}

// One thread, and a look-up of "slow" that hangs until it is released.
class OneThread : public ::testing::Test {
 protected:
    Result<std::vector<IpAddress>> answer(const std::string& host) {
        if (host != "slow") {
            ++quick_look_ups;
            return std::vector{kAddress};
        }
        started.count_down();
        release.wait();
        return std::vector{kAddress};
    }

    std::latch started{1};
    std::latch release{1};
    std::atomic<int> quick_look_ups{0};
    SystemResolver resolver{[this](const std::string& host) { return answer(host); }, 1};
};

TEST_F(OneThread, is_left_by_a_caller_at_its_deadline_while_it_hangs) {
    EXPECT_EQ(resolver.resolve("slow", within(20ms)).error().code, kResolveTimeout);
    release.count_down();
    EXPECT_EQ(resolver.resolve("quick", within(30s)).value().front(), kAddress);
}

TEST_F(OneThread, does_not_look_up_what_nobody_waits_for_any_more) {
    std::thread patient{[this] {
        EXPECT_EQ(resolver.resolve("slow", within(30s)).value().front(), kAddress);
    }};
    started.wait();
    EXPECT_EQ(resolver.resolve("quick", within(20ms)).error().code, kResolveTimeout);
    release.count_down();
    EXPECT_EQ(resolver.resolve("quick", within(30s)).value().front(), kAddress);
    EXPECT_EQ(quick_look_ups, 1);
    patient.join();
}

TEST(SystemResolver, answers_each_of_many_callers_with_its_own) {
    SystemResolver resolver{[](const std::string& host) -> Result<std::vector<IpAddress>> {
        return std::vector{IpAddress::parse(host).value()};
    }};
    std::atomic<int> right{0};
    std::vector<std::thread> callers;
    for (int index = 1; index <= 16; ++index)
        callers.emplace_back([&, host = "192.0.2." + std::to_string(index)] {
            const auto addresses = resolver.resolve(host, within(30s));
            if (addresses && addresses->front().text() == host) ++right;
        });
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(right, 16);
}

TEST(SystemResolver, makes_a_failed_look_up_a_problem) {
    SystemResolver resolver{[](const std::string&) -> Result<std::vector<IpAddress>> {
        throw std::runtime_error("no configuration");
    }};
    const auto problem = resolver.resolve("x", within(10s)).error();
    EXPECT_EQ(problem.code, kUnresolved);
    EXPECT_EQ(problem.kind, Kind::unavailable);
}

}  // namespace
}  // namespace synapsex::net

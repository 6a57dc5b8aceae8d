#include "agent/threads/side_thread.hpp"

#include <gtest/gtest.h>

namespace synapsex::agent {
namespace {

using namespace std::chrono_literals;

TEST(Question, waits_for_work_that_hangs_once_and_not_each_time_it_is_asked) {
    std::promise<void> recovery;
    SideThread thread;
    Question<int> question;
    const auto hang = [recovered = recovery.get_future().share()] {
        recovered.wait();
        return 7;
    };
    EXPECT_FALSE(question.is_under_way());
    EXPECT_EQ(question.ask(thread, hang, 1ms), std::nullopt);
    EXPECT_TRUE(question.is_under_way());
    // Would take a day if it waited.
    EXPECT_EQ(question.ask(thread, hang, 24h), std::nullopt);
    recovery.set_value();
    std::optional<int> answer;
    while (!answer) answer = question.ask(thread, hang, 24h);
    EXPECT_EQ(answer, 7);
    EXPECT_FALSE(question.is_under_way());
    EXPECT_EQ(question.ask(thread, [] { return 8; }, 24h), 8) << "a new one is waited for";
}

}  // namespace
}  // namespace synapsex::agent

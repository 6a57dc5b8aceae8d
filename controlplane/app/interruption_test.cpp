#include "controlplane/app/interruption.hpp"

#include <csignal>

#include <gtest/gtest.h>

#include "controlplane/app/start_refused.hpp"

namespace synapsex::app {
namespace {

// Each test gives the signals back as it found them.
class InterruptionTest : public ::testing::Test {
 protected:
    InterruptionTest() {
        ::sigaction(SIGHUP, nullptr, &hangup_);
        ::sigaction(SIGTERM, nullptr, &termination_);
    }
    ~InterruptionTest() override {
        ::sigaction(SIGHUP, &hangup_, nullptr);
        ::sigaction(SIGTERM, &termination_, nullptr);
    }
    static bool is_ignored(int signal) {
        struct sigaction action{};
        ::sigaction(signal, nullptr, &action);
        return action.sa_handler == SIG_IGN;
    }

    struct sigaction hangup_{};
    struct sigaction termination_{};
};

TEST_F(InterruptionTest, a_signal_is_noted_and_stops_the_work_at_its_next_look) {
    const Interruption interruption;
    EXPECT_NO_THROW(Interruption::check());
    std::raise(SIGHUP);
    try {
        Interruption::check();
        FAIL() << "it went on";
    } catch (const StartRefused& refused) {
        EXPECT_STREQ(refused.what(), "stopped by SIGHUP; nothing was changed");
    }
}

TEST_F(InterruptionTest, under_nohup_a_hangup_stops_nothing_and_other_signals_still_do) {
    std::signal(SIGHUP, SIG_IGN);  // what nohup does
    {
        const Interruption interruption;
        EXPECT_TRUE(is_ignored(SIGHUP));
        std::raise(SIGHUP);
        EXPECT_NO_THROW(Interruption::check());
        std::raise(SIGTERM);
        EXPECT_THROW(Interruption::check(), StartRefused);
    }
    EXPECT_TRUE(is_ignored(SIGHUP)) << "and so it stays";
    const Interruption next;
    EXPECT_NO_THROW(Interruption::check()) << "what came before is not remembered";
}

}  // namespace
}  // namespace synapsex::app

#pragma once

// A conversation with a clock that stands still and dice that repeat, for its tests.

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "agent/core/conversation.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::agent {

using namespace std::chrono_literals;

class ConversationTest : public ::testing::Test {
 protected:
    // Lets waits pass until there is something to do.
    Action next() {
        waited_ = 0ms;
        while (true) {
            auto action = conversation_.next(backlog_);
            const auto* wait = std::get_if<Wait>(&action);
            if (wait == nullptr) return action;
            EXPECT_GT(wait->time, 0ms) << "a wait of nothing would be a busy loop";
            waited_ += wait->time;
            clock_.advance(wait->time);
        }
    }
    bool wants_token() { return std::holds_alternative<FetchToken>(next()); }
    SendHeartbeat heartbeat() {
        auto action = next();
        if (std::holds_alternative<FetchToken>(action)) {
            conversation_.on_token({"token", 900s});
            action = next();
        }
        EXPECT_TRUE(std::holds_alternative<SendHeartbeat>(action));
        return std::get<SendHeartbeat>(action);
    }
    HeartbeatAnswer answer() const {
        return {
            .server_time = clock_.now(),
            .server_incarnation = "inc-1",
            .hold_max = 55s,
            .reason = "timeout",
        };
    }
    // Sends a heartbeat that is answered after its whole hold.
    SendHeartbeat beat() {
        const auto sent = heartbeat();
        clock_.advance(sent.hold);
        conversation_.on_heartbeat(answer(), 0);
        return sent;
    }
    // The heartbeat that is under way is answered so.
    void be_asked_for(std::vector<std::string> sections) {
        auto wanting = answer();
        wanting.want_sections = std::move(sections);
        conversation_.on_heartbeat(wanting, 0);
    }
    void fail(CallFailure::Kind kind, int status = 0, std::string code = {}) {
        conversation_.on_heartbeat_failed({.kind = kind, .status = status, .code = std::move(code)}
        );
    }

    testing::FakeClock clock_;
    testing::SeededRandom random_;
    Conversation conversation_{clock_, random_};
    Backlog backlog_;
    std::chrono::milliseconds waited_{};
};

}  // namespace synapsex::agent

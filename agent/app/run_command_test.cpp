#include "agent/app/run_command.hpp"

#include <gtest/gtest.h>

namespace synapsex::agent {
namespace {

TEST(ExitCode, is_78_only_where_a_person_has_to_change_something) {
    for (const auto* code : {"agent.config_invalid", "agent.not_enrolled", "agent.identity_damaged",
                             "crypto.key_missing", "crypto.key_unreadable"})
        EXPECT_EQ(exit_code_of({.code = code}), 78) << code;
    for (const auto* code : {"agent.file_failed", "agent.already_running", "crypto.key_unwritable",
                             "crypto.key_unavailable", "", "anything.else"})
        EXPECT_EQ(exit_code_of({.code = code}), 1) << code;
}

}  // namespace
}  // namespace synapsex::agent

#include "agent/app/status_command.hpp"

#include <gtest/gtest.h>

namespace synapsex::agent {
namespace {

TEST(VisibleText, shows_what_a_terminal_would_obey) {
    EXPECT_EQ(visible_text("auth.unknown_key 42%"), "auth.unknown_key 42%");
    EXPECT_EQ(visible_text("a\x1b[2Jb\r\n\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x7f");
    EXPECT_EQ(visible_text("\xc2\x9b"), "\\xc2\\x9b") << "a control sequence in one character";
}

}  // namespace
}  // namespace synapsex::agent

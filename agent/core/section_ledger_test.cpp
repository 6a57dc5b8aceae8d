#include "agent/core/section_ledger.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::agent {
namespace {

using namespace std::chrono_literals;

class SectionLedgerTest : public ::testing::Test {
 protected:
    SectionLedgerTest() { ledger_.set_current({"packages", "a"}); }

    testing::FakeClock clock_;
    testing::SeededRandom random_;
    SectionLedger ledger_{clock_, random_};
};

TEST_F(SectionLedgerTest, does_not_send_again_what_was_too_large_until_it_changes) {
    ledger_.want({"packages"});
    ASSERT_EQ(ledger_.due(), (SectionHash{"packages", "a"}));
    ledger_.on_refused({"packages", "a"}, {.kind = CallFailure::Kind::refused, .status = 413});
    clock_.advance(24h);
    ledger_.want({"packages"});
    EXPECT_EQ(ledger_.due(), std::nullopt);
    ledger_.set_current({"packages", "b"});
    EXPECT_EQ(ledger_.due(), (SectionHash{"packages", "b"}));
}

TEST_F(SectionLedgerTest, tries_again_later_after_any_other_refusal) {
    ledger_.want({"packages"});
    ledger_.on_refused({"packages", "a"}, {.kind = CallFailure::Kind::refused, .status = 503});
    EXPECT_EQ(ledger_.due(), std::nullopt);
    clock_.advance(61s);
    EXPECT_EQ(ledger_.due(), (SectionHash{"packages", "a"}));
}

TEST_F(SectionLedgerTest, indulges_a_server_that_wants_the_same_again_once_a_minute_at_most) {
    ledger_.want({"packages"});
    ledger_.on_stored({"packages", "a"});
    ledger_.want({"packages"});
    EXPECT_EQ(ledger_.due(), std::nullopt);
    clock_.advance(61s);
    EXPECT_EQ(ledger_.due(), (SectionHash{"packages", "a"}));
}

TEST_F(SectionLedgerTest, asks_for_no_other_section_while_one_is_collected) {
    ledger_.set_current({"disks", "a"});
    ledger_.want({"disks", "packages"});
    ASSERT_EQ(ledger_.due(), (SectionHash{"disks", "a"}));
    ledger_.postpone();
    EXPECT_EQ(ledger_.due(), std::nullopt);
    clock_.advance(10s);
    EXPECT_EQ(ledger_.due(), (SectionHash{"disks", "a"})) << "no later than before";
}

TEST_F(SectionLedgerTest, announces_nothing_after_the_content_itself_was_stored) {
    ledger_.on_stored({"packages", "c"});
    EXPECT_TRUE(ledger_.unannounced().empty());
}

}  // namespace
}  // namespace synapsex::agent

#include "agent/core/messages.hpp"

#include <gmock/gmock.h>

namespace synapsex::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Pins, are_those_of_the_token_and_of_what_followed) {
    Identity identity;
    identity.authority_pins = {"next", "first"};
    EXPECT_THAT(pins_of(identity, std::nullopt), ElementsAre("next", "first"));
    EXPECT_THAT(pins_of(identity, ""), IsEmpty()) << "none is wished for";
}

TEST(Pins, are_replaced_once_by_what_the_administrator_says) {
    Identity identity;
    identity.authority_pins = {"first"};
    EXPECT_THAT(pins_of(identity, "said"), ElementsAre("said"));
    identity.authority_pins = {"next"};  // which followed what was said
    identity.authority_pin_setting = "said";
    EXPECT_THAT(pins_of(identity, "said"), ElementsAre("next"));
    EXPECT_THAT(pins_of(identity, "another"), ElementsAre("another"));
}

}  // namespace
}  // namespace synapsex::agent

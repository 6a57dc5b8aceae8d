#include "agent/core/key_choice.hpp"

#include <gtest/gtest.h>

namespace synapsex::agent {
namespace {

TEST(KeyChoice, one_key_is_tried_again_and_again) {
    KeyChoice choice;
    EXPECT_EQ(choice.slot(), KeySlot::current);
    EXPECT_FALSE(choice.on_refused());
    EXPECT_EQ(choice.slot(), KeySlot::current);
}

TEST(KeyChoice, all_keys_are_tried_once_before_the_first_again) {
    KeyChoice choice;
    choice.set_available(true, true);
    EXPECT_TRUE(choice.on_refused());
    EXPECT_EQ(choice.slot(), KeySlot::next);
    EXPECT_TRUE(choice.on_refused());
    EXPECT_EQ(choice.slot(), KeySlot::former);
    EXPECT_FALSE(choice.on_refused());
    EXPECT_EQ(choice.slot(), KeySlot::current);
}

TEST(KeyChoice, a_next_key_that_is_not_taken_after_all_leads_back_to_the_current_one) {
    KeyChoice choice;
    choice.set_available(true, false);
    choice.use_next();
    EXPECT_EQ(choice.slot(), KeySlot::next);
    EXPECT_TRUE(choice.on_refused());
    EXPECT_EQ(choice.slot(), KeySlot::current);
    choice.on_taken();
    EXPECT_TRUE(choice.on_refused()) << "a new round";
    EXPECT_EQ(choice.slot(), KeySlot::next);
}

TEST(KeyChoice, begins_with_the_current_one_where_the_keys_have_changed_places) {
    KeyChoice choice;
    choice.set_available(true, false);
    choice.use_next();
    choice.set_available(false, true);
    EXPECT_EQ(choice.slot(), KeySlot::current);
    EXPECT_TRUE(choice.on_refused());
    EXPECT_EQ(choice.slot(), KeySlot::former);
}

}  // namespace
}  // namespace synapsex::agent

#include "agent/worker/agent_key_files.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/seeded_random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

namespace fs = std::filesystem;

class AgentKeyFilesTest : public ::testing::Test {
 protected:
    AgentKeyFilesTest() { EXPECT_TRUE(first_.save_pem_file(path("agent.key"))); }

    fs::path path(std::string_view name) const { return directory_.path() / name; }
    std::string id_at(std::string_view name) const {
        const auto key = crypto::Ed25519Key::load_pem_file(path(name));
        return key ? key->key_id() : "";
    }
    static std::string id_of(const std::optional<crypto::Ed25519Key>& key) {
        return key ? key->key_id() : "";
    }

    synapsex::testing::TemporaryFolder directory_;
    synapsex::testing::SeededRandom random_;
    crypto::Ed25519Key first_ = crypto::Ed25519Key::generate(random_);
    AgentKeyFiles files_{directory_.path()};
};

TEST_F(AgentKeyFilesTest, there_is_one_key_at_first) {
    const auto keys = files_.load();
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->current.key_id(), first_.key_id());
    EXPECT_FALSE(keys->next);
    EXPECT_FALSE(keys->former);
    fs::remove(path("agent.key"));
    EXPECT_FALSE(files_.load());
}

TEST_F(AgentKeyFilesTest, the_next_key_is_made_once_and_for_its_owner_alone) {
    const auto made = files_.load_or_make_next(random_);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(files_.load_or_make_next(random_)->key_id(), made->key_id());
    EXPECT_EQ(id_of(files_.load()->next), made->key_id());
    EXPECT_EQ(
        fs::status(path("agent.key.next")).permissions(),
        fs::perms::owner_read | fs::perms::owner_write
    );
}

TEST_F(AgentKeyFilesTest, the_next_key_becomes_the_key_and_the_key_the_former_one) {
    const auto second = files_.load_or_make_next(random_)->key_id();
    ASSERT_TRUE(files_.settle(KeySlot::next));
    EXPECT_EQ(id_at("agent.key"), second);
    EXPECT_EQ(id_at("agent.key.former"), first_.key_id());
    EXPECT_FALSE(fs::exists(path("agent.key.next")));
    const auto third = files_.load_or_make_next(random_)->key_id();
    ASSERT_TRUE(files_.settle(KeySlot::next));
    EXPECT_EQ(id_at("agent.key"), third);
    EXPECT_EQ(id_at("agent.key.former"), second);
}

TEST_F(AgentKeyFilesTest, a_former_key_comes_back_and_what_had_replaced_it_is_the_next) {
    const auto second = files_.load_or_make_next(random_)->key_id();
    ASSERT_TRUE(files_.settle(KeySlot::next));
    ASSERT_TRUE(files_.settle(KeySlot::former));
    EXPECT_EQ(id_at("agent.key"), first_.key_id());
    EXPECT_EQ(id_at("agent.key.next"), second);
    EXPECT_FALSE(fs::exists(path("agent.key.former")));
}

TEST_F(AgentKeyFilesTest, is_whole_wherever_the_next_one_was_killed_on_its_way) {
    const auto second = files_.load_or_make_next(random_)->key_id();
    // Of take_next: the former name is made, the next one is not moved yet.
    for (const auto* name : {"agent.key.former.new", "agent.key.former"})
        fs::create_hard_link(path("agent.key"), path(name));
    EXPECT_EQ(files_.load()->current.key_id(), first_.key_id());
    EXPECT_EQ(id_of(files_.load()->next), second);
    EXPECT_FALSE(files_.load()->former) << "it is the key itself";
    ASSERT_TRUE(files_.settle(KeySlot::next));
    EXPECT_EQ(id_at("agent.key"), second);
    EXPECT_EQ(id_at("agent.key.former"), first_.key_id());
    EXPECT_FALSE(fs::exists(path("agent.key.former.new")));
}

TEST_F(AgentKeyFilesTest, is_whole_wherever_the_former_one_was_killed_on_its_way) {
    const auto second = files_.load_or_make_next(random_)->key_id();
    ASSERT_TRUE(files_.settle(KeySlot::next));
    // Of take_former: the key has two names.
    fs::create_hard_link(path("agent.key"), path("agent.key.next"));
    EXPECT_EQ(files_.load()->current.key_id(), second);
    EXPECT_FALSE(files_.load()->next);
    EXPECT_EQ(id_of(files_.load()->former), first_.key_id());
    ASSERT_TRUE(files_.settle(KeySlot::former));
    EXPECT_EQ(id_at("agent.key"), first_.key_id());
    EXPECT_EQ(id_at("agent.key.next"), second);
}

TEST_F(AgentKeyFilesTest, a_next_key_that_is_the_key_already_is_made_anew) {
    fs::create_hard_link(path("agent.key"), path("agent.key.next"));
    const auto made = files_.load_or_make_next(random_);
    ASSERT_TRUE(made);
    EXPECT_NE(made->key_id(), first_.key_id());
    EXPECT_EQ(id_at("agent.key"), first_.key_id());
}

TEST_F(AgentKeyFilesTest, a_key_beside_it_that_cannot_be_used_is_left_alone) {
    std::ofstream{path("agent.key.next")} << "damaged";
    fs::permissions(path("agent.key.next"), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_TRUE(files_.load());
    EXPECT_FALSE(files_.load()->next);
    EXPECT_FALSE(files_.load_or_make_next(random_)) << "it may be the only one that counts";
    EXPECT_TRUE(fs::exists(path("agent.key.next")));
}

TEST_F(AgentKeyFilesTest, a_former_key_is_kept_for_thirty_days_from_when_it_was_replaced) {
    const auto key_of_old = std::chrono::file_clock::now() - std::chrono::days{400};
    fs::last_write_time(path("agent.key"), key_of_old);
    ASSERT_TRUE(files_.load_or_make_next(random_));
    ASSERT_TRUE(files_.settle(KeySlot::next));
    const auto now = SystemClock{}.now();
    files_.drop_old_former(now + kFormerKeyKeptFor - std::chrono::minutes{1});
    EXPECT_TRUE(fs::exists(path("agent.key.former")));
    files_.drop_old_former(now + kFormerKeyKeptFor + std::chrono::minutes{1});
    EXPECT_FALSE(fs::exists(path("agent.key.former")));
}

}  // namespace
}  // namespace synapsex::agent

#include "agent/app/status_command.hpp"

#include <gmock/gmock.h>

#include "agent/worker/files.hpp"
#include "agent/worker/identity_store.hpp"
#include "agent/worker/worker.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

TEST(VisibleText, shows_what_a_terminal_would_obey) {
    EXPECT_EQ(visible_text("auth.unknown_key 42%"), "auth.unknown_key 42%");
    EXPECT_EQ(visible_text("a\x1b[2Jb\r\n\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x7f");
    EXPECT_EQ(visible_text("\xc2\x9b"), "\\xc2\\x9b") << "a control sequence in one character";
}

TEST(StatusCommand, says_1_where_it_cannot_tell_and_3_where_nothing_runs) {
    const synapsex::testing::TemporaryFolder folder;
    AgentConfig config;
    config.data_dir = config.run_dir = folder.path();
    EXPECT_EQ(status_command(config, StatusFormat::text), 3);
    const auto lock = folder.path() / kLockFile;
    { EXPECT_TRUE(FileLock::take(lock)); }
    EXPECT_EQ(status_command(config, StatusFormat::text), 3) << "a lock that nobody holds";
    {
        const auto held = FileLock::take(lock);
        EXPECT_EQ(status_command(config, StatusFormat::text), 0);
    }
    std::filesystem::remove(lock);
    std::filesystem::create_symlink(lock, lock);  // nobody can open it, not even root
    EXPECT_EQ(status_command(config, StatusFormat::text), 1);
}

TEST(StatusCommand, says_which_trust_root_counts_and_who_pinned_it) {
    using ::testing::HasSubstr;
    const synapsex::testing::TemporaryFolder folder;
    AgentConfig config;
    config.data_dir = config.run_dir = folder.path();
    const auto shown = [&](StatusFormat format) {
        ::testing::internal::CaptureStdout();
        status_command(config, format);
        return ::testing::internal::GetCapturedStdout();
    };
    EXPECT_THAT(shown(StatusFormat::json), HasSubstr(R"("trustRoot":null)"));

    const auto enrolled = std::string(42, 'e') + 'E';
    const auto local = std::string(42, 'l') + 'E';
    const std::string ulid = "01hv3x8k2m4n6p8q0r2s4t6v8w";
    ASSERT_TRUE(IdentityStore{folder.path()}.save_identity({
        .agent_id = *AgentId::parse("agt_" + ulid),
        .vm_id = *VmId::parse("vm_" + ulid),
        .tenant_id = *TenantId::parse("ten_" + ulid),
        .url = "https://sx.test",
        .issuer = "https://issuer.test",
        .server_incarnation = "inc-1",
        .trust_root = enrolled,
    }));
    EXPECT_THAT(
        shown(StatusFormat::json),
        HasSubstr(R"("trustRoot":{"fingerprint":")" + enrolled + R"(","pinnedBy":"enrollment"})")
    );
    EXPECT_THAT(shown(StatusFormat::text), HasSubstr("fingerprint: " + enrolled));
    config.trust_root = local;
    EXPECT_THAT(
        shown(StatusFormat::json),
        HasSubstr(R"("trustRoot":{"fingerprint":")" + local + R"(","pinnedBy":"setting"})")
    );
    config.trust_root = kNoTrustRoot;
    EXPECT_THAT(shown(StatusFormat::json), HasSubstr(R"("trustRoot":null)"));
}

}  // namespace
}  // namespace synapsex::agent

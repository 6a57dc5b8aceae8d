// Secrets that commands make: where they go, and that they are lost nowhere.

#include <fstream>
#include <sys/stat.h>

#include "controlplane/cli/test_world.hpp"

namespace synapsex::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SecretOutputTest : public CliTest {};

TEST_F(SecretOutputTest, a_token_goes_alone_to_standard_output) {
    signed_in();
    server.answer(
        201, R"({"id":")" + id("ent_") + R"(","name":"","usesMax":3,"createdAt":)"
             R"("2026-01-02T03:04:05Z","expiresAt":"2026-01-02T05:04:05Z","token":"sxe_secret"})"
    );
    EXPECT_EQ(run({"tokens", "create", "--uses", "3", "--ttl", "2h"}), 0) << err.str();
    EXPECT_EQ(out.str(), "sxe_secret\n");
    EXPECT_THAT(err.str(), HasSubstr("valid until 2026-01-02 05:04:05Z"));
    EXPECT_THAT(server.requests.at(0).body, HasSubstr(R"("ttlSeconds":7200)"));
    EXPECT_EQ(header_of(server.requests.at(0), "Idempotency-Key").size(), 22u);
}

TEST_F(SecretOutputTest, a_token_for_a_file_is_shown_nowhere_else) {
    signed_in();
    const auto file = home / "token";
    const std::string created =
        R"({"id":")" + id("ent_") + R"(","name":"","usesMax":1,"createdAt":)"
        R"("2026-01-02T03:04:05Z","expiresAt":"2026-01-02T05:04:05Z","token":"sxe_secret"})";
    server.answer(201, created);
    EXPECT_EQ(run({"--json", "tokens", "create", "--token-file", file.string()}), 0);
    EXPECT_THAT(out.str() + err.str(), Not(HasSubstr("sxe_secret")));
    std::string content;
    std::getline(std::ifstream{file}, content);
    EXPECT_EQ(content, "sxe_secret");
    struct stat facts {};
    ASSERT_EQ(::stat(file.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600u);

    const auto folder = home / "folder";
    std::filesystem::create_directory(folder);
    server.answer(201, created);
    server.answer(204, "");
    server.on_request = [&] { std::filesystem::remove(folder); };
    EXPECT_EQ(run({"tokens", "create", "--token-file", (folder / "token").string()}), 1);
    EXPECT_EQ(server.requests.back().method, "DELETE") << "what nobody has seen is revoked";
    EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(SecretOutputTest, a_secret_replaces_no_file_unasked_and_is_not_even_made) {
    signed_in();
    const auto file = home / "id_ed25519";
    std::ofstream{file} << "precious";
    const auto dangling = home / "link";
    std::filesystem::create_symlink(home / "nowhere", dangling);
    for (const auto& path : {file, dangling}) {
        EXPECT_EQ(run({"keys", "create", "--name", "k", "--key-file", path.string()}), 2);
        EXPECT_THAT(
            err.str(),
            AllOf(HasSubstr(path.string() + " is there already and stays"), HasSubstr("--force"))
        );
    }
    EXPECT_EQ(run({"tokens", "create", "--token-file", file.string()}), 2);
    EXPECT_THAT(err.str(), HasSubstr("code cli.file_exists"));
    EXPECT_EQ(run({"tokens", "create", "--force"}), 2) << "without a file";
    EXPECT_THAT(server.requests, IsEmpty());

    server.answer(
        201, R"({"id":")" + id("ent_") + R"(","name":"","usesMax":1,"createdAt":)"
             R"("2026-01-02T03:04:05Z","expiresAt":"2026-01-02T05:04:05Z","token":"sxe_secret"})"
    );
    EXPECT_EQ(run({"tokens", "create", "--token-file", file.string(), "--force"}), 0) << err.str();
    std::string content;
    std::getline(std::ifstream{file}, content);
    EXPECT_EQ(content, "sxe_secret");
}

TEST_F(SecretOutputTest, no_folder_is_made_for_a_secret) {
    signed_in();
    const auto folder = home / "none";
    for (const auto& path : {folder / "token", folder / "deeper" / "token"}) {
        EXPECT_EQ(run({"tokens", "create", "--token-file", path.string()}), 2);
        EXPECT_THAT(err.str(), HasSubstr("There is no folder " + path.parent_path().string()));
    }
    EXPECT_FALSE(std::filesystem::exists(folder));
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(SecretOutputTest, a_secret_goes_into_no_device_and_is_not_even_made) {
    signed_in();
    const auto pipe = home / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_EQ(run({"tokens", "create", "--token-file", "/dev/null"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("/dev/null is no ordinary file and stays as it is."));
    EXPECT_THAT(err.str(), HasSubstr("Without --token-file the token is printed."));
    EXPECT_EQ(run({"keys", "create", "--name", "k", "--key-file", pipe.string()}), 2);
    EXPECT_THAT(err.str(), HasSubstr("Without --key-file the key is printed."));
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
    EXPECT_TRUE(std::filesystem::is_fifo(pipe));
    EXPECT_THAT(server.requests, IsEmpty());
}

TEST_F(SecretOutputTest, a_secret_that_could_not_be_shown_is_revoked) {
    signed_in();
    server.answer(
        201, R"({"id":")" + id("ent_") + R"(","name":"","usesMax":1,"createdAt":)"
             R"("2026-01-02T03:04:05Z","expiresAt":"2026-01-02T05:04:05Z","token":"sxe_secret"})"
    );
    server.answer(204, "");
    server.on_request = [this] { out.setstate(std::ios::badbit); };
    EXPECT_EQ(run({"tokens", "create"}), 1);
    EXPECT_EQ(server.requests.back().method, "DELETE");
}

}  // namespace
}  // namespace synapsex::cli::testing

// The operators' trust root on an operator's machine, and the tokens that carry it to VMs.

#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

#include "controlplane/cli/test_world.hpp"
#include "shared/crypto/enrollment_token.hpp"
#include "shared/crypto/operator_folder.hpp"

namespace synapsex::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class TrustCommandsTest : public CliTest {
 protected:
    TrustCommandsTest() { environment["USER"] = "ada"; }

    crypto::OperatorFolder folder() const {
        return crypto::OperatorFolder{credentials_file().trust_folder()};
    }
    std::string passphrase_file(const std::string& text) {
        const auto path = home / "passphrase";
        std::ofstream{path} << text << '\n';
        ::chmod(path.c_str(), 0600);
        return path.string();
    }
    static std::string content_of(const std::filesystem::path& path) {
        std::stringstream content;
        content << std::ifstream{path}.rdbuf();
        return content.str();
    }
    static unsigned mode_of(const std::filesystem::path& path) {
        struct stat facts {};
        EXPECT_EQ(::lstat(path.c_str(), &facts), 0) << path;
        return facts.st_mode & 0777;
    }
    std::string fingerprint() const { return (*folder().find_root().value()).fingerprint(); }
    // As the server answers, with this token.
    void answer_token(const std::string& token) {
        server.answer(
            201, R"({"id":")" + id("ent_") + R"(","name":"","usesMax":1,"createdAt":)" +
                     R"("2026-01-02T03:04:05Z","expiresAt":"2026-01-02T05:04:05Z","token":")" +
                     token + R"("})"
        );
    }

    const std::string claim_ = "sxe_" + std::string{kUlid} + "." + std::string(32, 'S');
    const std::string pin_ = std::string(42, 'p') + 'A';
    const std::string passphrase_ = "correct horse battery staple";
};

TEST_F(TrustCommandsTest, init_makes_a_key_and_a_root_signed_with_it_and_asks_nobody) {
    EXPECT_EQ(run({"trust", "init"}), 0) << err.str();
    EXPECT_THAT(server.requests, IsEmpty());
    const auto root = folder().find_root();
    ASSERT_TRUE(root && *root) << root.error().detail;
    EXPECT_EQ((*root)->threshold, 1U);
    ASSERT_EQ((*root)->keys.size(), 1U);
    EXPECT_EQ((*root)->keys[0].name, "ada");
    EXPECT_EQ((*root)->keys[0].public_key, (*folder().load_key({}))->public_key());
    EXPECT_THAT(out.str(), AllOf(HasSubstr((*root)->fingerprint()), HasSubstr("1 of 1")));
    EXPECT_THAT(err.str(), HasSubstr("Keep a copy of " + folder().path().string()));
    EXPECT_EQ(mode_of(folder().path()), 0700U);
    EXPECT_EQ(mode_of(folder().root_path()), 0600U);
    EXPECT_EQ(mode_of(folder().key_path()), 0600U);
}

TEST_F(TrustCommandsTest, one_that_is_there_is_never_written_over) {
    ASSERT_EQ(run({"trust", "init"}), 0);
    const auto root = content_of(folder().root_path());
    const auto key = content_of(folder().key_path());
    EXPECT_EQ(run({"trust", "init", "--operator", "eve"}), 6);
    EXPECT_THAT(err.str(), HasSubstr("code crypto.trust_root_exists"));
    EXPECT_EQ(content_of(folder().root_path()), root);
    EXPECT_EQ(content_of(folder().key_path()), key);
}

TEST_F(TrustCommandsTest, one_that_was_killed_between_key_and_root_is_taken_up) {
    ASSERT_EQ(run({"trust", "init"}), 0);
    const auto key = content_of(folder().key_path());
    std::filesystem::remove(folder().root_path());
    EXPECT_EQ(run({"trust", "init", "--passphrase-file", passphrase_file(passphrase_)}), 2)
        << "that key is not sealed, and nobody is told that it is";
    EXPECT_FALSE(std::filesystem::exists(folder().root_path()));
    EXPECT_EQ(run({"trust", "init"}), 0) << err.str();
    EXPECT_THAT(err.str(), HasSubstr("The key was there already."));
    EXPECT_EQ(content_of(folder().key_path()), key);
    EXPECT_EQ(run({"trust", "show"}), 0) << err.str();
}

TEST_F(TrustCommandsTest, a_root_goes_with_the_sign_in) {
    ASSERT_EQ(run({"trust", "init"}), 0);
    ASSERT_EQ(run({"trust", "init", "--profile", "prod"}), 0) << err.str();
    const auto config = home / ".config" / "synapsex";
    EXPECT_TRUE(std::filesystem::exists(config / "credentials.trust" / "root.json"));
    EXPECT_TRUE(std::filesystem::exists(config / "credentials.prod.trust" / "root.json"));
    EXPECT_NE(content_of(config / "credentials.trust" / "root.json"),
              content_of(config / "credentials.prod.trust" / "root.json"));
    ASSERT_EQ(run({"trust", "init", "--credentials", (home / "other").string()}), 0);
    EXPECT_TRUE(std::filesystem::exists(home / "other.trust" / "root.json"));
    run({"logout"});
    EXPECT_EQ(run({"trust", "show"}), 0) << "it does not end with the sign-in";
}

TEST_F(TrustCommandsTest, show_has_a_document_for_programs_and_4_where_there_is_none) {
    EXPECT_EQ(run({"trust", "show"}), 4);
    EXPECT_THAT(err.str(), HasSubstr("synapsexctl trust init"));
    ASSERT_EQ(run({"trust", "init", "--operator", "Ada L.", "--json"}), 0) << err.str();
    const auto made = boost::json::parse(out.str());
    ASSERT_EQ(run({"trust", "show", "--json"}), 0);
    EXPECT_EQ(boost::json::parse(out.str()), made);
    EXPECT_EQ(made.at("fingerprint").as_string(), fingerprint());
    EXPECT_EQ(made.at("threshold").as_int64(), 1);
    EXPECT_EQ(made.at("keys").at(0).at("name").as_string(), "Ada L.");
    EXPECT_EQ(made.at("operatorKey").as_string(), "plain");
}

TEST_F(TrustCommandsTest, the_key_may_be_sealed_and_opens_with_its_passphrase_alone) {
    const auto right = passphrase_file(passphrase_);
    ASSERT_EQ(run({"trust", "init", "--passphrase-file", right}), 0) << err.str();
    EXPECT_THAT(content_of(folder().key_path()), Not(HasSubstr("PRIVATE KEY")));
    EXPECT_EQ(run({"trust", "show", "--json"}), 0) << "the root alone needs no passphrase";
    EXPECT_THAT(out.str(), HasSubstr(R"("operatorKey":"sealed")"));
    EXPECT_EQ(run({"trust", "show", "--passphrase-file", right}), 0) << err.str();
    EXPECT_EQ(folder().load_key({}).error().code, "crypto.passphrase_needed");
    passphrase_file("another, as long as that");
    EXPECT_EQ(run({"trust", "show", "--passphrase-file", right}), 3);
    EXPECT_THAT(err.str(), AllOf(HasSubstr("stays shut"), HasSubstr("crypto.passphrase_wrong")));
    passphrase_file("short");
    EXPECT_EQ(run({"trust", "show", "--passphrase-file", right}), 2);
    EXPECT_THAT(err.str(), HasSubstr("at least 16 characters"));
}

TEST_F(TrustCommandsTest, an_operator_has_a_proper_name) {
    for (const auto& name : {std::string{"a\"b"}, std::string{"a\nb"}, std::string(65, 'x')})
        EXPECT_EQ(run({"trust", "init", "--operator", name}), 2) << name;
    environment.erase("USER");
    EXPECT_EQ(run({"trust", "init"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("--operator"));
    EXPECT_FALSE(std::filesystem::exists(folder().path()));
}

TEST_F(TrustCommandsTest, what_others_may_touch_is_not_used) {
    ASSERT_EQ(run({"trust", "init"}), 0);
    for (const auto& path : {folder().root_path(), folder().key_path()}) {
        ::chmod(path.c_str(), 0640);
        EXPECT_EQ(run({"trust", "show"}), 1) << path;
        EXPECT_THAT(err.str(), AllOf(HasSubstr(path.string()), HasSubstr("chmod 600")));
        ::chmod(path.c_str(), 0600);
    }
    ::chmod(folder().path().c_str(), 0750);
    EXPECT_EQ(run({"trust", "show"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("chmod 700"));
    ::chmod(folder().path().c_str(), 0700);
    const auto elsewhere = home / "elsewhere";
    std::filesystem::rename(folder().path(), elsewhere);
    std::filesystem::create_directory_symlink(elsewhere, folder().path());
    EXPECT_EQ(run({"trust", "show"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("symbolic link"));
    EXPECT_EQ(run({"trust", "init"}), 1);
}

TEST_F(TrustCommandsTest, a_damaged_root_or_another_key_is_said) {
    ASSERT_EQ(run({"trust", "init", "--profile", "other"}), 0);
    ASSERT_EQ(run({"trust", "init"}), 0);
    const auto whole = content_of(folder().root_path());
    std::ofstream{folder().root_path()} << whole.substr(0, 100);
    EXPECT_EQ(run({"trust", "show"}), 1);
    EXPECT_THAT(err.str(), AllOf(HasSubstr("root.json is not used"), HasSubstr("Restore it")));
    EXPECT_EQ(run({"trust", "init"}), 1) << "it is not taken for none";
    EXPECT_EQ(content_of(folder().root_path()), whole.substr(0, 100));

    std::ofstream{folder().root_path()} << whole;
    const auto others = crypto::OperatorFolder{
        CredentialsFile{home / ".config/synapsex/credentials.other.json"}.trust_folder()};
    std::ofstream{folder().key_path()} << content_of(others.key_path());
    EXPECT_EQ(run({"trust", "show"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("code cli.trust_key_foreign"));
    std::filesystem::remove(folder().key_path());
    EXPECT_EQ(run({"trust", "show"}), 0) << "who makes tokens needs the root alone";
    EXPECT_THAT(out.str(), HasSubstr("not on this machine"));
}

TEST_F(TrustCommandsTest, a_token_carries_the_root_behind_the_pin_or_behind_none) {
    signed_in();
    ASSERT_EQ(run({"trust", "init"}), 0);
    for (const auto& pin : {pin_, std::string{}}) {
        answer_token(pin.empty() ? claim_ : claim_ + "." + pin);
        ASSERT_EQ(run({"tokens", "create"}), 0) << err.str();
        EXPECT_EQ(out.str(), claim_ + "." + pin + "." + fingerprint() + "\n");
        EXPECT_THAT(err.str(), HasSubstr(fingerprint()));
        const auto text = out.str().substr(0, out.str().size() - 1);
        const auto parts = crypto::parse_enrollment_token(text);
        ASSERT_TRUE(parts);
        EXPECT_EQ(parts->trust_root, fingerprint());
    }
    answer_token(claim_);
    ASSERT_EQ(run({"tokens", "create", "--json"}), 0);
    EXPECT_EQ(boost::json::parse(out.str()).at("token").as_string(),
              claim_ + ".." + fingerprint());
    const auto file = home / "token";
    answer_token(claim_);
    ASSERT_EQ(run({"tokens", "create", "--token-file", file.string()}), 0);
    EXPECT_EQ(content_of(file), claim_ + ".." + fingerprint() + "\n");
}

TEST_F(TrustCommandsTest, a_token_carries_none_where_there_is_none_or_none_is_wanted) {
    signed_in();
    answer_token(claim_ + "." + pin_);
    ASSERT_EQ(run({"tokens", "create"}), 0);
    EXPECT_EQ(out.str(), claim_ + "." + pin_ + "\n");
    EXPECT_THAT(err.str(), Not(HasSubstr("trust")));
    ASSERT_EQ(run({"trust", "init"}), 0);
    answer_token(claim_);
    ASSERT_EQ(run({"tokens", "create", "--no-trust-root"}), 0);
    EXPECT_EQ(out.str(), claim_ + "\n");
    environment.erase("HOME");
    environment["SYNAPSEX_URL"] = "http://127.0.0.1:8080";
    environment["SYNAPSEX_API_KEY"] = "sk_sx_1";
    answer_token(claim_);
    EXPECT_EQ(run({"tokens", "create"}), 0) << "a container has no home and no root";
}

TEST_F(TrustCommandsTest, a_server_cannot_name_a_root) {
    signed_in();
    const auto theirs = std::string(42, 't') + 'A';
    answer_token(claim_ + "." + pin_ + "." + theirs);
    ASSERT_EQ(run({"tokens", "create"}), 0);
    EXPECT_EQ(out.str(), claim_ + "." + pin_ + "\n");
    answer_token(claim_ + ".." + theirs);
    ASSERT_EQ(run({"tokens", "create", "--json"}), 0);
    EXPECT_EQ(boost::json::parse(out.str()).at("token").as_string(), claim_);
    ASSERT_EQ(run({"trust", "init"}), 0);
    answer_token(claim_ + ".." + theirs);
    ASSERT_EQ(run({"tokens", "create"}), 0);
    EXPECT_EQ(out.str(), claim_ + ".." + fingerprint() + "\n");
}

TEST_F(TrustCommandsTest, no_token_is_made_with_a_root_that_is_damaged_or_has_no_place_in_it) {
    signed_in();
    ASSERT_EQ(run({"trust", "init"}), 0);
    const auto whole = content_of(folder().root_path());
    std::ofstream{folder().root_path()} << "{}";
    EXPECT_EQ(run({"tokens", "create"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("--no-trust-root"));
    EXPECT_THAT(server.requests, IsEmpty());

    std::ofstream{folder().root_path()} << whole;
    answer_token("sxe2_of_tomorrow");
    server.answer(204, "");
    EXPECT_EQ(run({"tokens", "create"}), 1);
    EXPECT_THAT(out.str(), IsEmpty());
    EXPECT_THAT(err.str(), HasSubstr("code cli.token_unknown"));
    EXPECT_EQ(server.requests.back().method, "DELETE") << "what nobody has seen is revoked";
}

}  // namespace
}  // namespace synapsex::cli::testing

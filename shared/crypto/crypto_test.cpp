#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <sys/stat.h>

#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"
#include "shared/crypto/password.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::crypto {
namespace {

using synapsex::testing::SeededRandom;

std::string unhex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string{hex.substr(i, 2)}, nullptr, 16));
    return bytes;
}

TEST(Hash, hmac_is_that_of_rfc_4231) {
    EXPECT_EQ(
        hmac_sha256_hex("Jefe", "what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    EXPECT_NE(hmac_sha256_hex("other", "what do ya want for nothing?"),
              hmac_sha256_hex("Jefe", "what do ya want for nothing?"));
}

TEST(Hash, sha256_matches_the_known_vector) {
    // FIPS 180-2, appendix B.1.
    EXPECT_EQ(
        sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

TEST(Base64Url, round_trips_every_length) {
    SeededRandom random;
    for (std::size_t size = 0; size < 70; ++size) {
        std::string bytes(size, '\0');
        random.fill(std::as_writable_bytes(std::span{bytes.data(), bytes.size()}));
        EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    }
}

TEST(Base64Url, refuses_what_is_not_the_one_text_of_a_value) {
    for (const auto* text : {"A", "AA==", "A+", "A/", "AB", "AAB", "A\n"})
        EXPECT_EQ(from_base64url(text), std::nullopt) << text;
}

TEST(ConstantTime, compares_as_equality_does) {
    EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
    EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
    EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST(Ed25519, signs_as_rfc_8032_does) {
    // RFC 8032, section 7.1, test 2.
    const auto key = Ed25519Key::from_seed(
        unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    );
    EXPECT_EQ(
        to_hex(key.public_key()), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
    const auto signature = key.sign("\x72");
    EXPECT_EQ(
        to_hex(signature),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    );
    EXPECT_TRUE(verify_ed25519(key.public_key(), "\x72", signature));
    EXPECT_FALSE(verify_ed25519(key.public_key(), "\x73", signature));
    EXPECT_FALSE(verify_ed25519(key.public_key(), "\x72", signature.substr(1)));
    EXPECT_FALSE(verify_ed25519("short", "\x72", signature));
}

TEST(Ed25519, the_key_id_is_the_start_of_the_thumbprint_from_rfc_8037) {
    const auto key =
        Ed25519Key::from_seed(*from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
    EXPECT_EQ(key.key_id(), "kPrK_qmxVWaYVA9w");
}

class Ed25519File : public ::testing::Test {
 protected:
    Ed25519File() { std::filesystem::create_directories(directory_); }
    ~Ed25519File() override { std::filesystem::remove_all(directory_); }

    std::filesystem::path directory_ =
        std::filesystem::temp_directory_path() / ("synapsex-crypto-" + std::to_string(::getpid()));
};

TEST_F(Ed25519File, comes_back_from_its_file_which_only_the_owner_may_read) {
    SeededRandom random;
    const auto key = Ed25519Key::generate(random);
    const auto path = directory_ / "agent.key";
    ASSERT_TRUE(key.save_pem_file(path));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    const auto loaded = Ed25519Key::load_pem_file(path);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->public_key(), key.public_key());

    ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
    EXPECT_EQ(Ed25519Key::load_pem_file(path).error().code, "crypto.key_unreadable");
}

TEST_F(Ed25519File, says_when_the_file_is_missing_or_holds_no_key) {
    EXPECT_EQ(
        Ed25519Key::load_pem_file(directory_ / "none.key").error().code, "crypto.key_missing"
    );
    EXPECT_EQ(
        Ed25519Key::from_seed(std::string(32, 'x'))
            .save_pem_file(directory_ / "no" / "a.key")
            .error()
            .code,
        "crypto.key_unwritable"
    );
}

TEST_F(Ed25519File, tells_a_machine_that_cannot_read_now_from_a_file_that_is_wrong) {
    SeededRandom random;
    const auto path = directory_ / "agent.key";
    ASSERT_TRUE(Ed25519Key::generate(random).save_pem_file(path));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const auto out_of_files = Ed25519Key::load_pem_file(path);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_FALSE(out_of_files);
    EXPECT_EQ(out_of_files.error().code, "crypto.key_unavailable");
    EXPECT_TRUE(Ed25519Key::load_pem_file(path));
    // Nothing is at its address 0: an I/O error.
    EXPECT_EQ(Ed25519Key::load_pem_file("/proc/self/mem").error().code, "crypto.key_unavailable");
    std::ofstream{path} << "no key";
    EXPECT_EQ(Ed25519Key::load_pem_file(path).error().code, "crypto.key_unreadable");
}

TEST(Password, verifies_only_the_password_it_was_made_from) {
    SeededRandom random;
    const PasswordCost cheap{.memory_kib = 64, .passes = 1};
    const auto hash = hash_password("correct horse", random, cheap);
    EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$")) << hash;
    EXPECT_TRUE(verify_password("correct horse", hash));
    EXPECT_FALSE(verify_password("correct hors", hash));
    EXPECT_FALSE(verify_password("correct horse", "not a hash"));
    EXPECT_TRUE(needs_rehash(hash));
    EXPECT_FALSE(needs_rehash(hash, cheap));
}

}  // namespace
}  // namespace synapsex::crypto

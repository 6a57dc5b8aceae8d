#include "controlplane/platform/certificates/own_certificate.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "shared/crypto/authority.hpp"
#include "shared/net/tls_certificate.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::certificates {
namespace {

using std::chrono::days;

class OwnCertificateTest : public ::testing::Test {
 protected:
    OwnCertificateTest() { authority.save(key).value(); }

    OwnCertificate certificate(std::vector<std::string> names = {"cp.example.com"}) {
        return OwnCertificate{{clock, key, file, std::move(names)}};
    }
    std::string renewed(OwnCertificate own) {
        const auto done = own.renew_if_due();
        if (!done) return done.error().code;
        return net::TlsContext::load(own.files()).value()->certificate().fingerprint;
    }

    testing::FakeClock clock;
    testing::TemporaryFolder folder;
    const std::filesystem::path key = folder.path() / "authority.key";
    const std::filesystem::path file = folder.path() / "tls" / "server.pem";
    crypto::Authority authority = crypto::Authority::make(clock.now());
};

TEST_F(OwnCertificateTest, is_made_once_and_kept_until_a_third_of_its_time_is_left) {
    const auto first = renewed(certificate());
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms{0600});
    EXPECT_EQ(std::filesystem::status(file.parent_path()).permissions(),
              std::filesystem::perms{0700});
    EXPECT_EQ(renewed(certificate()), first);
    clock.jump(days{59});
    EXPECT_EQ(renewed(certificate()), first);
    clock.jump(days{2});
    const auto second = renewed(certificate());
    EXPECT_NE(second, first);
    EXPECT_EQ(renewed(certificate()), second);
}

TEST_F(OwnCertificateTest, is_made_anew_for_other_names_and_where_the_file_is_damaged) {
    const auto first = renewed(certificate());
    const auto second = renewed(certificate({"cp.example.com", "192.0.2.1"}));
    EXPECT_NE(second, first);
    std::ofstream{file} << "half";
    EXPECT_NE(renewed(certificate({"cp.example.com", "192.0.2.1"})), second);
}

TEST_F(OwnCertificateTest, follows_the_authority_while_the_server_runs) {
    auto own = certificate();
    EXPECT_TRUE(own.renew_if_due());
    EXPECT_EQ(own.authority_pin(), authority.pin());
    const auto nonce = std::string(43, 'A');
    const auto is_proven_by = [&](const crypto::Authority& expected) {
        const auto proof = own.prove_time(nonce);
        return proof && proof->time == clock.now() &&
               crypto::is_proven(*proof, nonce, std::vector{expected.pin()});
    };
    EXPECT_TRUE(is_proven_by(authority));
    auto shown = net::TlsCertificate::open(own.files()).value();
    EXPECT_FALSE(shown->reload().value());
    const auto next = authority.make_successor(clock.now());
    next.replace(key).value();
    EXPECT_TRUE(own.renew_if_due());
    EXPECT_EQ(own.authority_pin(), next.pin());
    EXPECT_TRUE(is_proven_by(next));
    EXPECT_TRUE(shown->reload().value());
}

TEST_F(OwnCertificateTest, without_the_authority_what_is_there_stays) {
    const auto first = renewed(certificate());
    std::filesystem::remove(key);
    clock.jump(days{80});
    auto own = certificate();
    EXPECT_EQ(own.renew_if_due().error().code, "crypto.key_missing");
    EXPECT_FALSE(own.prove_time(std::string(43, 'A')));
    EXPECT_EQ(net::TlsContext::load(own.files()).value()->certificate().fingerprint, first);
}

}  // namespace
}  // namespace synapsex::certificates

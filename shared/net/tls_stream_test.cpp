#include "shared/net/tls_stream.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

#include "shared/crypto/public_key_pin.hpp"
#include "shared/net/tls_certificate.hpp"
#include "tests/support/test_certificate.hpp"
#include "tests/support/tls_client.hpp"

namespace synapsex::net {
namespace {

using ::testing::HasSubstr;
using synapsex::testing::CertificateWish;
using synapsex::testing::TestCertificate;
using synapsex::testing::TlsClient;
using synapsex::testing::TlsClientWish;

// Both ends of a connection in one thread: each is tried in turn.
class TlsStreamTest : public ::testing::Test {
 protected:
    TlsStreamTest() {
        std::signal(SIGPIPE, SIG_IGN);
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        wish.trusts = certificate.files().certificate;
    }
    ~TlsStreamTest() override {
        server.reset();
        for (const int end : ends)
            if (end >= 0) ::close(end);
    }

    void start() {
        server.emplace(TlsContext::load(certificate.files()).value(), ends[0]);
        client.emplace(ends[1], wish);
    }
    // Whether both came through.
    bool shake_hands() {
        start();
        return go_on_shaking();
    }
    bool go_on_shaking() {
        TlsState state = TlsState::wants_read;
        bool is_client_done = false;
        for (int i = 0; i < 20; ++i) {
            is_client_done = is_client_done || client->connect() == 1;
            if (state != TlsState::done) state = server->handshake().state;
            if (is_client_done && state == TlsState::done) return true;
            if (state == TlsState::closed) return false;
        }
        return false;
    }
    std::string read() {
        char bytes[32768];
        const auto got = server->read(bytes, sizeof bytes);
        last = got.state;
        return {bytes, got.bytes};
    }
    std::string client_reads() {
        char bytes[32768];
        const int got = client->receive(bytes, sizeof bytes);
        return got > 0 ? std::string(bytes, static_cast<std::size_t>(got)) : std::string{};
    }

    TestCertificate certificate;
    TlsClientWish wish;
    int ends[2]{-1, -1};
    std::optional<TlsStream> server;
    std::optional<TlsClient> client;
    TlsState last = TlsState::done;
};

TEST_F(TlsStreamTest, prefers_1_3_and_carries_bytes_both_ways) {
    ASSERT_TRUE(shake_hands());
    EXPECT_EQ(client->version(), "TLSv1.3");
    client->send("hello");
    EXPECT_EQ(read(), "hello");
    const auto written = server->write("good day");
    EXPECT_EQ(written.state, TlsState::done);
    EXPECT_EQ(written.bytes, 8U);
    EXPECT_EQ(client_reads(), "good day");
}

TEST_F(TlsStreamTest, speaks_1_2_to_who_knows_no_newer) {
    wish.newest = TLS1_2_VERSION;
    ASSERT_TRUE(shake_hands());
    EXPECT_EQ(client->version(), "TLSv1.2");
}

TEST_F(TlsStreamTest, refuses_1_1) {
    wish.oldest = TLS1_VERSION;
    wish.newest = TLS1_1_VERSION;
    EXPECT_FALSE(shake_hands());
    EXPECT_EQ(server->handshake().state, TlsState::closed);
}

TEST_F(TlsStreamTest, refuses_ciphers_of_1_2_without_forward_secrecy_or_authentication) {
    wish.newest = TLS1_2_VERSION;
    wish.ciphers12 = "AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA";
    EXPECT_FALSE(shake_hands());
}

TEST_F(TlsStreamTest, says_http_1_1_to_who_asks_for_protocols_and_ends_with_who_has_not_got_it) {
    wish.protocols = "\x02h2\x08http/1.1";
    ASSERT_TRUE(shake_hands());
    EXPECT_EQ(client->protocol(), "http/1.1");
}

TEST_F(TlsStreamTest, ends_with_who_speaks_other_protocols_only) {
    wish.protocols = "\x02h2";
    EXPECT_FALSE(shake_hands());
}

TEST_F(TlsStreamTest, tells_http_in_clear_from_noise) {
    start();
    ASSERT_GT(::write(ends[1], "GET / HTTP/1.1\r\n", 16), 0);
    EXPECT_EQ(server->handshake().state, TlsState::plain_http);
}

TEST_F(TlsStreamTest, ends_at_noise) {
    start();
    ASSERT_GT(::write(ends[1], "\x01\x02\x03\x04 what is this? \x05\x06\x07", 23), 0);
    EXPECT_EQ(server->handshake().state, TlsState::closed);
}

TEST_F(TlsStreamTest, tells_the_end_by_goodbye_and_by_a_cut) {
    ASSERT_TRUE(shake_hands());
    client->send("last words");
    client->end_sending();
    EXPECT_EQ(read(), "last words");
    EXPECT_EQ(read(), "");
    EXPECT_EQ(last, TlsState::closed);
    EXPECT_EQ(server->write("may still be said").state, TlsState::done);
    EXPECT_EQ(client_reads(), "may still be said");
}

TEST_F(TlsStreamTest, a_cut_is_an_end_and_a_write_after_it_kills_nobody) {
    ASSERT_TRUE(shake_hands());
    ::close(std::exchange(ends[1], -1));
    EXPECT_EQ(read(), "");
    EXPECT_EQ(last, TlsState::closed);
    EXPECT_EQ(server->write("to nobody").state, TlsState::closed);
}

TEST_F(TlsStreamTest, says_goodbye_when_it_goes) {
    ASSERT_TRUE(shake_hands());
    server.reset();
    EXPECT_EQ(client_reads(), "");
    EXPECT_TRUE(client->got_goodbye());
}

TEST_F(TlsStreamTest, has_pending_what_did_not_fit_into_a_read) {
    ASSERT_TRUE(shake_hands());
    client->send("one two");
    char few[3];
    EXPECT_EQ(server->read(few, sizeof few).bytes, 3U);
    EXPECT_TRUE(server->has_pending());
    EXPECT_EQ(read(), " two");
    EXPECT_FALSE(server->has_pending());
    EXPECT_EQ(read(), "");
    EXPECT_EQ(last, TlsState::wants_read);
}

TEST_F(TlsStreamTest, goes_on_with_a_write_when_the_peer_has_read) {
    ASSERT_TRUE(shake_hands());
    const std::string much(2'000'000, 'x');
    std::string_view left = much;
    std::size_t received = 0;
    int waits = 0;
    while (received < much.size()) {
        const auto wrote = server->write(std::string{left.substr(0, 16384)});
        left.remove_prefix(wrote.bytes);
        if (wrote.state == TlsState::done && !left.empty()) continue;
        ASSERT_TRUE(left.empty() || wrote.state == TlsState::wants_write);
        ++waits;
        for (auto got = client_reads(); !got.empty(); got = client_reads()) received += got.size();
    }
    EXPECT_EQ(received, much.size());
    EXPECT_GT(waits, 1);
}

TEST_F(TlsStreamTest, goes_on_when_the_peer_takes_new_keys) {
    ASSERT_TRUE(shake_hands());
    client->update_keys();
    client->send("after");
    EXPECT_EQ(read(), "");
    EXPECT_EQ(last, TlsState::wants_read) << "one record that is not for us a read";
    EXPECT_EQ(read(), "after");
    EXPECT_EQ(server->write("too").state, TlsState::done);
    EXPECT_EQ(client_reads(), "too");
}

// --- certificates -------------------------------------------------------------------------------

TEST(TlsContext, knows_its_certificate) {
    const TestCertificate certificate{{.name = "cp.example.com", .valid_until_seconds = 600}};
    const auto context = TlsContext::load(certificate.files()).value();
    EXPECT_EQ(context->certificate().subject, "CN=cp.example.com");
    EXPECT_EQ(context->certificate().fingerprint.size(), 64U);
    const auto life = context->certificate().not_after - context->certificate().not_before;
    EXPECT_NEAR(std::chrono::duration<double>(life).count(), 4200, 2);
}

TEST(TlsContext, loads_an_expired_certificate_because_its_clients_say_so) {
    const TestCertificate certificate{{.valid_until_seconds = -60}};
    EXPECT_TRUE(TlsContext::load(certificate.files()));
}

TEST(TlsContext, says_which_file_is_wrong_and_why) {
    const TestCertificate certificate;
    const TestCertificate other;
    const auto code = [](const TlsFiles& files) { return TlsContext::load(files).error().code; };
    auto files = certificate.files();
    files.certificate = "/nowhere/server.crt";
    EXPECT_EQ(code(files), "tls.certificate_unreadable");
    files.certificate = certificate.files().key;
    EXPECT_EQ(code(files), "tls.certificate_unreadable");
    files = certificate.files();
    files.key = "/nowhere/server.key";
    EXPECT_EQ(code(files), "tls.key_unreadable");
    EXPECT_THAT(TlsContext::load(files).error().detail, HasSubstr("/nowhere/server.key"));
    files.key = files.certificate;
    std::filesystem::permissions(files.key, std::filesystem::perms(0600));
    EXPECT_EQ(code(files), "tls.key_unreadable");
    files.key = other.files().key;
    EXPECT_EQ(code(files), "tls.key_mismatch");
    files.key = certificate.files().key;
    std::filesystem::permissions(files.key, std::filesystem::perms(0640));
    EXPECT_EQ(code(files), "tls.key_unreadable");
    EXPECT_THAT(TlsContext::load(files).error().detail, HasSubstr("chmod 0600"));
}

TEST(TlsContext, shows_the_authority_that_is_pinned_or_does_not_load) {
    const TestCertificate files;
    auto wish = files.files();
    wish.authority_pin = crypto::public_key_pin_of_file(wish.certificate).value();
    EXPECT_TRUE(TlsContext::load(wish));
    wish.authority_pin[0] = wish.authority_pin[0] == 'A' ? 'B' : 'A';
    const auto refused = TlsContext::load(wish);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "tls.authority_not_shown");
}

TEST(TlsCertificate, is_loaded_again_when_its_files_were_renewed_and_only_then) {
    TestCertificate files;
    const auto certificate = TlsCertificate::open(files.files()).value();
    const auto first = certificate->current();
    EXPECT_FALSE(certificate->reload().value());
    EXPECT_EQ(certificate->current(), first);
    files.renew();
    EXPECT_TRUE(certificate->reload().value());
    EXPECT_NE(certificate->current()->certificate().fingerprint, first->certificate().fingerprint);
    EXPECT_FALSE(certificate->reload().value());
}

TEST(TlsCertificate, keeps_what_it_has_until_the_new_files_are_whole) {
    TestCertificate files;
    TestCertificate next;
    const auto certificate = TlsCertificate::open(files.files()).value();
    const auto first = certificate->current();
    // The certificate is there before its key.
    std::filesystem::rename(next.files().certificate, files.files().certificate);
    EXPECT_EQ(certificate->reload().error().code, "tls.key_mismatch");
    EXPECT_EQ(certificate->reload().error().code, "tls.key_mismatch") << "and says so again";
    EXPECT_EQ(certificate->current(), first);
    std::filesystem::rename(next.files().key, files.files().key);
    EXPECT_TRUE(certificate->reload().value());
    EXPECT_NE(certificate->current(), first);
}

}  // namespace
}  // namespace synapsex::net

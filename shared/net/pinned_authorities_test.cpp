// A client that pins an authority, against real servers on 127.0.0.1 with certificates of an
// Authority.

#include "shared/net/pinned_authorities.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "shared/crypto/authority.hpp"
#include "shared/net/curl_http_client.hpp"
#include "shared/net/tls_stream.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::net {
namespace {

using crypto::Authority;
using std::chrono::days;
using ::testing::HasSubstr;

// Answers one request over TLS with 204; or those of several connections, one after another, each
// of them kept for as long as the client likes.
class TlsServer {
 public:
    explicit TlsServer(const std::string& pem, int connections = 1) : connections_(connections) {
        std::signal(SIGPIPE, SIG_IGN);
        const auto file = folder_.path() / "server.pem";
        std::ofstream{file} << pem;
        std::filesystem::permissions(file, std::filesystem::perms{0600});
        context_ = TlsContext::load({file, file}).value();
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof address;
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 4) != 0)
            throw std::runtime_error("listen");
        ::getsockname(listener_, plain, &size);
        url_ = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
        thread_ = std::thread{[this] { serve(); }};
    }
    ~TlsServer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    const std::string& url() const { return url_; }
    std::string url_of(const std::string& host) const {
        return "https://" + host + url_.substr(std::string_view{"https://127.0.0.1"}.size());
    }

 private:
    static bool wait(int socket, TlsState state) {
        const short events = state == TlsState::wants_write ? POLLOUT : POLLIN;
        pollfd polled{socket, events, 0};
        return (state == TlsState::wants_read || state == TlsState::wants_write) &&
               ::poll(&polled, 1, 5'000) == 1;
    }
    void serve() {
        for (int i = 0; i < connections_; ++i) {
            const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (socket < 0) return;
            serve(socket);
            ::close(socket);
        }
    }
    void serve(int socket) {
        TlsStream stream{context_, socket};
        auto state = stream.handshake().state;
        while (wait(socket, state)) state = stream.handshake().state;
        do {
            std::string head;
            char block[4096];
            while (state == TlsState::done && head.find("\r\n\r\n") == head.npos) {
                const auto read = stream.read(block, sizeof block);
                if (read.state == TlsState::done) head.append(block, read.bytes);
                else if (!wait(socket, read.state)) state = TlsState::closed;
            }
            if (state != TlsState::done) return;
            stream.write(
                connections_ > 1 ? "HTTP/1.1 204 No Content\r\n\r\n"
                                 : "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
            );
        } while (connections_ > 1);
    }

    const int connections_;
    testing::TemporaryFolder folder_;
    std::shared_ptr<const TlsContext> context_;
    std::string url_;
    int listener_ = -1;
    std::thread thread_;
};

class PinnedAuthoritiesTest : public ::testing::Test {
 protected:
    const Timestamp now = SystemClock{}.now();
    const Authority authority = Authority::make(now);

    // "204", or code and detail of the failure.
    std::string ask(const std::string& url, const std::string& pin, days skew = days{0}) {
        CurlHttpClient client{{.now = [this, skew] { return now + skew; }}};
        if (!pin.empty()) client.pin_authorities({pin});
        const auto answer = client.send({.url = url});
        if (answer) return std::to_string(answer->status);
        return answer.error().code + ": " + answer.error().detail;
    }
    std::string issue(const Authority& of) { return of.issue({"127.0.0.1"}, now); }
};

TEST_F(PinnedAuthoritiesTest, a_server_of_a_pinned_authorities_is_talked_to) {
    TlsServer server{issue(authority)};
    EXPECT_EQ(ask(server.url(), authority.pin()), "204");
}

TEST_F(PinnedAuthoritiesTest, one_of_another_authority_is_not_though_it_has_the_name) {
    const auto other = Authority::make(now);
    TlsServer server{issue(other)};
    EXPECT_THAT(
        ask(server.url(), authority.pin()),
        ::testing::AllOf(HasSubstr("net.tls_authority: "), HasSubstr(other.pin()))
    );
}

TEST_F(PinnedAuthoritiesTest, showing_the_pinned_authorities_without_being_of_it_does_not_help) {
    const auto other = Authority::make(now);
    auto pem = issue(other);
    pem.insert(pem.find("-----BEGIN PRIVATE"), authority.certificate());
    TlsServer server{pem};
    EXPECT_THAT(ask(server.url(), authority.pin()), HasSubstr("net.tls: "));
}

TEST_F(PinnedAuthoritiesTest, a_certificate_of_a_pinned_authorities_is_no_authority) {
    // Whoever holds a server's key issues another certificate with it.
    TlsServer server{issue(authority)};
    const auto stolen = issue(authority);
    TlsServer thief{stolen};
    EXPECT_EQ(ask(thief.url(), authority.pin()), "204") << "the server itself";
    EXPECT_THAT(ask(server.url_of("localhost"), authority.pin()), HasSubstr("net.tls_name: "));
}

TEST_F(PinnedAuthoritiesTest, says_that_a_certificate_ended_or_has_not_begun) {
    {
        TlsServer server{issue(authority)};
        EXPECT_THAT(
            ask(server.url(), authority.pin(), days{91}),
            ::testing::AllOf(
                HasSubstr("net.tls_expired: "), HasSubstr("by this machine's clock it is")
            )
        );
    }
    TlsServer server{issue(authority)};
    EXPECT_THAT(
        ask(server.url(), authority.pin(), days{-3650}), HasSubstr("net.tls_not_yet_valid: ")
    );
}

TEST_F(PinnedAuthoritiesTest, one_authority_follows_another_for_whoever_pinned_either) {
    const auto next = authority.make_successor(now);
    for (const auto& pin : {authority.pin(), next.pin()}) {
        TlsServer server{issue(next)};
        EXPECT_EQ(ask(server.url(), pin), "204");
    }
    TlsServer late{issue(next.without_former())};
    EXPECT_THAT(ask(late.url(), authority.pin()), HasSubstr("net.tls_authority: "));
    TlsServer back{issue(authority)};
    EXPECT_THAT(ask(back.url(), next.pin()), HasSubstr("net.tls_authority: "))
        << "the former authority is none for who pinned the new one";
}

TEST_F(PinnedAuthoritiesTest, a_successor_is_pinned_beside_the_former_one_until_that_has_gone) {
    const auto next = authority.make_successor(now);
    CurlHttpClient client;
    client.pin_authorities({authority.pin()});
    const auto pins_after = [&](const std::string& pem) {
        TlsServer server{pem};
        const auto answer = client.send({.url = server.url()});
        EXPECT_TRUE(answer) << answer.error().detail;
        return client.pinned_authorities();
    };
    using ::testing::ElementsAre;
    EXPECT_THAT(pins_after(issue(authority)), ElementsAre(authority.pin()));
    EXPECT_THAT(pins_after(issue(next)), ElementsAre(next.pin(), authority.pin()));
    // A server that was restored from a backup of the day before.
    EXPECT_THAT(pins_after(issue(authority)), ElementsAre(authority.pin()));
    EXPECT_THAT(pins_after(issue(next)), ElementsAre(next.pin(), authority.pin()));
    EXPECT_THAT(pins_after(issue(next)), ElementsAre(next.pin(), authority.pin()));
    EXPECT_THAT(pins_after(issue(next.without_former())), ElementsAre(next.pin()));
}

TEST_F(PinnedAuthoritiesTest, what_was_refused_changes_no_pin) {
    const auto other = Authority::make(now);
    CurlHttpClient client;
    client.pin_authorities({authority.pin()});
    TlsServer server{issue(other.make_successor(now))};
    EXPECT_FALSE(client.send({.url = server.url()}));
    EXPECT_THAT(client.pinned_authorities(), ::testing::ElementsAre(authority.pin()));
}

TEST_F(PinnedAuthoritiesTest, nor_does_a_chain_whose_name_is_another) {
    const auto next = authority.make_successor(now);
    CurlHttpClient client;
    client.pin_authorities({authority.pin()});
    TlsServer server{next.issue({"elsewhere.example.com"}, now)};
    const auto answer = client.send({.url = server.url()});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, "net.tls_name");
    EXPECT_THAT(client.pinned_authorities(), ::testing::ElementsAre(authority.pin()));
}

TEST_F(PinnedAuthoritiesTest, an_expired_server_is_asked_without_its_time_and_for_nothing_else) {
    TlsServer server{issue(authority), 3};
    CurlHttpClient client{{.now = [this] { return now + days{91}; }}};
    client.pin_authorities({authority.pin()});
    const HttpRequest ordinary{.url = server.url()};
    const HttpRequest timeless{.url = server.url(), .validity = Validity::unchecked};
    EXPECT_EQ(client.send(ordinary).error().code, "net.tls_expired");
    const auto answer = client.send(timeless);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_THAT(answer->authorities, ::testing::ElementsAre(authority.pin()));
    EXPECT_EQ(client.send(ordinary).error().code, "net.tls_expired")
        << "neither by its connection nor by its session";
}

TEST_F(PinnedAuthoritiesTest, nothing_but_the_time_goes_unchecked) {
    const HttpRequest at{.validity = Validity::unchecked};
    const auto ask_at = [&](const std::string& pem, const std::string& host) {
        TlsServer server{pem};
        CurlHttpClient client{{.now = [this] { return now + days{91}; }}};
        client.pin_authorities({authority.pin()});
        auto request = at;
        request.url = server.url_of(host);
        return client.send(request).error().code;
    };
    EXPECT_EQ(ask_at(issue(Authority::make(now)), "127.0.0.1"), "net.tls_authority");
    EXPECT_EQ(ask_at(issue(authority), "localhost"), "net.tls_name");
}

TEST_F(PinnedAuthoritiesTest, a_successor_is_told_and_not_pinned_while_time_does_not_count) {
    const auto next = authority.make_successor(now);
    TlsServer server{issue(next)};
    CurlHttpClient client{{.now = [this] { return now + days{91}; }}};
    client.pin_authorities({authority.pin()});
    const auto answer = client.send({.url = server.url(), .validity = Validity::unchecked});
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_THAT(answer->authorities, ::testing::ElementsAre(next.pin(), authority.pin()));
    EXPECT_THAT(client.pinned_authorities(), ::testing::ElementsAre(authority.pin()));
}

TEST_F(PinnedAuthoritiesTest, a_secret_does_not_go_where_time_does_not_count) {
    CurlHttpClient client;
    HttpRequest request{.url = "https://127.0.0.1:9", .validity = Validity::unchecked};
    EXPECT_EQ(client.send(request).error().code, "net.protocol") << "without pins";
    client.pin_authorities({authority.pin()});
    EXPECT_EQ(client.send(request).error().code, "net.unreachable");
    request.headers = {{"Authorization", "Bearer secret"}};
    EXPECT_EQ(client.send(request).error().code, "net.protocol");
}

TEST_F(PinnedAuthoritiesTest, without_pins_such_a_server_is_of_no_known_authority) {
    TlsServer server{issue(authority)};
    EXPECT_THAT(ask(server.url(), ""), HasSubstr("net.tls_authority: "));
}

}  // namespace
}  // namespace synapsex::net

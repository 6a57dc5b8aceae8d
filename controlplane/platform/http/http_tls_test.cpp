// What is TLS's own; all that holds of HTTP holds by TLS too, and runs again as
// synapsex_platform_http_tls_test.

#include "controlplane/platform/http/http_test_support.hpp"

namespace synapsex::http::testing {
namespace {

class HttpTlsTest : public HttpTest {
 protected:
    HttpTlsTest() {
        options.endpoints = {{.port = 0}, {.port = 0, .certificate = &tls_certificate()}};
    }
    std::uint16_t tls_port() const { return server->port(1); }
    Client connect_tls() { return Client{tls_port(), tls_wish()}; }
};

TEST_F(HttpTlsTest, serves_tls_and_clear_side_by_side) {
    start();
    Client clear{server->port(0)};
    auto secret = connect_tls();
    EXPECT_EQ(clear.ask("/").body, "hello");
    EXPECT_EQ(secret.ask("/").body, "hello");
    EXPECT_EQ(secret.ask("/").body, "hello");
    EXPECT_EQ(server->counters().handshakes_failed, 0U);
}

TEST_F(HttpTlsTest, tells_who_speaks_clear_to_use_https) {
    start();
    Client client{tls_port()};
    client.get("/");
    const auto refused = client.read();
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.headers.at("Content-Type"), "application/problem+json");
    EXPECT_TRUE(eventually([&] { return server->counters().open == 0; }));
    EXPECT_EQ(server->counters().handshakes_failed, 1U);
}

TEST_F(HttpTlsTest, ends_a_handshake_that_does_not_come_to_its_end) {
    options.limits.header_timeout = 30ms;
    start();
    Client silent{tls_port()};
    EXPECT_TRUE(silent.is_closed());
    EXPECT_EQ(server->counters().handshakes_failed, 1U);
    EXPECT_EQ(server->counters().timed_out, 1U);
}

TEST_F(HttpTlsTest, does_not_wait_for_handshakes_when_it_drains) {
    start();
    Client silent{tls_port()};
    EXPECT_TRUE(eventually([&] { return server->counters().open == 1; }));
    server->stop();
    EXPECT_TRUE(silent.is_closed());
}

TEST_F(HttpTlsTest, survives_noise) {
    start();
    for (const std::string_view noise : {"\x16\x03\x01\xff\xff", "\x16\x03\x03\x00\x02\x01", "?"}) {
        Client client{tls_port()};
        client.send(noise);
        client.end_sending();
        client.receive_all();
    }
    EXPECT_TRUE(eventually([&] { return server->counters().handshakes_failed == 3; }));
    EXPECT_EQ(connect_tls().ask("/").status, 200);
}

TEST_F(HttpTlsTest, a_renewed_certificate_is_shown_and_ends_older_connections_with_an_answer) {
    TestCertificate files;
    const auto certificate = net::TlsCertificate::open(files.files()).value();
    options.endpoints = {{.port = 0, .certificate = certificate.get()}};
    start();
    const TlsClientWish wish{.trusts = files.files().certificate};
    Client before{server->port(), wish};
    EXPECT_EQ(before.ask("/").status, 200);
    EXPECT_TRUE(before.is_quiet());
    const auto old = files.files().certificate.string() + ".old";
    std::filesystem::copy(files.files().certificate, old);
    files.renew();
    EXPECT_TRUE(certificate->reload().value());
    EXPECT_TRUE(before.is_quiet()) << "what is under way, or parked, goes on";
    EXPECT_EQ(before.ask("/").status, 200);
    EXPECT_TRUE(before.is_closed());
    EXPECT_EQ((Client{server->port(), wish}.ask("/").status), 200);
    Client distrustful{server->port(), {.trusts = old}};
    EXPECT_EQ(distrustful.ask("/").status, 0) << "it trusts the certificate that is gone";
}

TEST_F(HttpTlsTest, a_body_in_many_records_arrives_whole) {
    application.on(
        "/large",
        [](const RequestHead&, std::string body, const Plan::DoneFn& done) {
            done(FakeApplication::text_reply(200, body + body));
        },
        1'000'000
    );
    start();
    auto client = connect_tls();
    const std::string body(300'000, 'b');
    client.send(
        "POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n"
    );
    client.send(body);
    EXPECT_EQ(client.read().body, body + body);
}

}  // namespace
}  // namespace synapsex::http::testing

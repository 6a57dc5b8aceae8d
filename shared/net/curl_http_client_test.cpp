// Real sockets on 127.0.0.1, each server a few lines that read one request and say what they were
// told to.

#include "shared/net/curl_http_client.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/net/egress_policy.hpp"
#include "shared/net/url_rules.hpp"

namespace synapsex::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Serves one connection: for each of the answers it waits for a request's head.
class Server {
 public:
    explicit Server(std::vector<std::string> answers, const char* host = "127.0.0.1")
        : answers_(std::move(answers)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        ::inet_pton(AF_INET, host, &address.sin_addr);
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof address;
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 4) != 0)
            throw std::runtime_error("listen");
        ::getsockname(listener_, plain, &size);
        port_ = ":" + std::to_string(ntohs(address.sin_port));
        url_ = "http://" + std::string{host} + port_;
        thread_ = std::thread{[this] { serve(); }};
    }
    ~Server() {
        ::shutdown(listener_, SHUT_RDWR);
        if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
        if (socket_ >= 0) ::close(socket_);
    }

    const std::string& url() const { return url_; }
    const std::string& port() const { return port_; }  // ":8080"
    void join_requests(std::string& out) {
        ::shutdown(listener_, SHUT_RDWR);
        out = requests_;
    }

 private:
    void serve() {
        socket_ = ::accept(listener_, nullptr, nullptr);
        std::array<char, 4096> block{};
        for (const auto& answer : answers_) {
            // A TLS hello is no HTTP head and has no such end.
            for (std::string head; head.find("\r\n\r\n") == std::string::npos &&
                                   !head.starts_with('\x16');) {
                const auto count = ::recv(socket_, block.data(), block.size(), 0);
                if (count <= 0) return;
                head.append(block.data(), static_cast<std::size_t>(count));
                requests_.append(block.data(), static_cast<std::size_t>(count));
            }
            ::send(socket_, answer.data(), answer.size(), MSG_NOSIGNAL);
        }
        if (!answers_.empty()) ::shutdown(socket_, SHUT_RDWR);
        else ::recv(socket_, block.data(), block.size(), MSG_PEEK | MSG_WAITALL);
    }

    std::vector<std::string> answers_;
    std::string requests_;
    std::string port_;
    std::string url_;
    int listener_ = -1;
    std::atomic<int> socket_{-1};
    std::thread thread_;
};

std::string code_of(const Result<HttpResponse>& result) {
    return result ? "status " + std::to_string(result->status) : result.error().code;
}

TEST(CurlHttpClient, sends_a_request_and_reads_the_answer) {
    Server server{{"HTTP/1.1 201 Created\r\nX-One: a\r\nContent-Length: 2\r\n\r\nhi"}};
    CurlHttpClient client;
    const auto answer = client.send(
        {.method = "POST",
         .url = server.url() + "/path",
         .headers = {{"X-Mine", "yes"}},
         .body = "ping"}
    );
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->body, "hi");
    ASSERT_NE(answer->find_header("x-one"), nullptr);
    EXPECT_EQ(*answer->find_header("x-one"), "a");
    EXPECT_EQ(answer->find_header("x-two"), nullptr);
    std::string request;
    server.join_requests(request);
    EXPECT_THAT(request, HasSubstr("POST /path HTTP/1.1\r\n"));
    EXPECT_THAT(request, HasSubstr("X-Mine: yes\r\n"));
    EXPECT_THAT(request, HasSubstr("Content-Length: 4\r\n"));
    EXPECT_THAT(request, ::testing::Not(HasSubstr("Content-Type")));
    EXPECT_THAT(request, ::testing::Not(HasSubstr("Expect")));
}

TEST(CurlHttpClient, keeps_the_connection_for_the_next_request) {
    const std::string answer = "HTTP/1.1 204 No Content\r\n\r\n";
    Server server{{answer, answer}};  // it accepts one connection only
    CurlHttpClient client;
    EXPECT_EQ(code_of(client.send({.url = server.url()})), "status 204");
    EXPECT_EQ(code_of(client.send({.method = "PUT", .url = server.url()})), "status 204");
}

TEST(CurlHttpClient, follows_no_redirect) {
    Server server{
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"}};
    CurlHttpClient client;
    EXPECT_EQ(code_of(client.send({.url = server.url()})), "status 302");
}

TEST(CurlHttpClient, names_what_went_wrong) {
    CurlHttpClient client;
    {
        Server large{{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x')}};
        EXPECT_EQ(code_of(client.send({.url = large.url(), .response_bytes_max = 99})),
                  "net.response_too_large");
    }
    {
        Server many_headers{{"HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n"}};
        EXPECT_EQ(code_of(client.send({.url = many_headers.url()})), "net.response_too_large");
    }
    {
        Server cut{{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"}};
        EXPECT_EQ(code_of(client.send({.url = cut.url()})), "net.closed");
    }
    {
        Server silent{{""}};
        EXPECT_EQ(code_of(client.send({.url = silent.url()})), "net.closed");
    }
    {
        Server slow{{}};
        EXPECT_EQ(code_of(client.send({.url = slow.url(), .timeout = 50ms})), "net.timeout");
    }
    {
        Server plain{{"this is no TLS"}};
        auto url = plain.url();
        url.replace(0, 4, "https");
        EXPECT_EQ(code_of(client.send({.url = url})), "net.tls");
    }
    EXPECT_EQ(code_of(client.send({.url = "http://127.0.0.1:1/"})), "net.unreachable");
    EXPECT_EQ(code_of(client.send({.url = "http://203.0.113.1/"})), "net.insecure_url");
    EXPECT_EQ(code_of(client.send({.url = "not a url"})), "net.invalid_url");
    EXPECT_EQ(code_of(client.send({.url = "https://x.test/", .headers = {{"A", "b\r\nC: d"}}})),
              "net.protocol");
}

TEST(CurlHttpClient, ends_a_running_request_when_it_is_canceled_and_later_ones_until_resumed) {
    CurlHttpClient client;
    {
        Server slow{{}};
        std::thread canceler{[&] { client.cancel(); }};
        const auto started_at = std::chrono::steady_clock::now();
        EXPECT_EQ(code_of(client.send({.url = slow.url()})), "net.canceled");
        EXPECT_LT(std::chrono::steady_clock::now() - started_at, 5s);
        canceler.join();
        EXPECT_EQ(code_of(client.send({.url = slow.url()})), "net.canceled");
    }
    Server server{{"HTTP/1.1 204 No Content\r\n\r\n"}};
    client.resume();
    EXPECT_EQ(code_of(client.send({.url = server.url()})), "status 204");
}

// What a tenant's receiver is: a name that a resolver of the test answers, allowed on loopback.
class PinnedRequest : public ::testing::Test {
 protected:
    struct Answers final : Resolver {
        std::vector<std::string> texts;  // one for each look-up, the last for all later ones
        std::size_t asked = 0;
        Result<std::vector<IpAddress>> resolve(const std::string&, Deadline) override {
            const auto& text = texts.at(std::min(asked++, texts.size() - 1));
            return std::vector{IpAddress::parse(text).value()};
        }
    };

    Result<VettedTarget> vet(const std::string& url) {
        return policy.vet(url, resolver, Deadline::never());
    }
    std::string send(const std::string& url) {
        auto target = vet(url);
        if (!target) return target.error().code;
        return code_of(client.send({.target = std::move(*target), .timeout = 5s}));
    }

    EgressPolicy policy{{.allow = {IpNetwork::parse("127.0.0.0/8").value()},
                         .clear_text = ClearText::to_allowed}};
    Answers resolver;
    CurlHttpClient client{{.proxy = ProxyUse::environment}};
};

constexpr const char* kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";

TEST_F(PinnedRequest, goes_to_the_vetted_address_under_the_name_of_the_url) {
    Server server{{kNoContent}, "127.0.0.2"};
    resolver.texts = {"127.0.0.2"};
    EXPECT_EQ(send("http://receiver.test" + server.port() + "/hook"), "status 204");
    std::string request;
    server.join_requests(request);
    EXPECT_THAT(request, HasSubstr("GET /hook HTTP/1.1\r\n"));
    EXPECT_THAT(request, HasSubstr("Host: receiver.test" + server.port() + "\r\n"));
}

TEST_F(PinnedRequest, names_the_host_in_the_tls_hello) {
    Server server{{"this is no TLS"}, "127.0.0.2"};
    resolver.texts = {"127.0.0.2"};
    EXPECT_EQ(send("https://receiver.test" + server.port()), "net.tls");
    std::string hello;
    server.join_requests(hello);
    EXPECT_THAT(hello, HasSubstr("receiver.test"));
}

TEST_F(PinnedRequest, stays_with_the_address_when_the_name_moves_after_the_judgement) {
    Server judged{{kNoContent}, "127.0.0.2"};
    // To everybody else localhost is 127.0.0.1, where nothing listens on this port.
    resolver.texts = {"127.0.0.2", "10.0.0.1"};
    auto target = vet("http://localhost" + judged.port()).value();
    EXPECT_EQ(code_of(client.send({.target = std::move(target)})), "status 204");
    EXPECT_EQ(resolver.asked, 1U);
    EXPECT_EQ(send("http://localhost" + judged.port()), kAddressPrivate) << "judged anew";
    EXPECT_EQ(code_of(client.send({.url = "http://localhost" + judged.port()})),
              "net.unreachable") << "the pin is of that request alone";
}

TEST_F(PinnedRequest, uses_no_connection_of_an_earlier_one) {
    Server server{{kNoContent, kNoContent}, "127.0.0.2"};  // it accepts one connection only
    resolver.texts = {"127.0.0.2", "127.0.0.3"};
    const auto url = "http://receiver.test" + server.port();
    EXPECT_EQ(send(url), "status 204");
    EXPECT_EQ(send(url), "net.unreachable") << "nothing listens on 127.0.0.3";
}

TEST_F(PinnedRequest, returns_a_redirect_to_the_metadata_service_as_an_answer) {
    Server server{{"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\n"
                   "Content-Length: 0\r\n\r\n"}};
    resolver.texts = {"127.0.0.1"};
    EXPECT_EQ(send("http://receiver.test" + server.port()), "status 302");
    EXPECT_EQ(send("https://169.254.169.254/latest/"), kMetadata);
}

TEST_F(PinnedRequest, takes_no_proxy_from_the_environment) {
    Server server{{kNoContent}, "127.0.0.2"};
    resolver.texts = {"127.0.0.2"};
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    EXPECT_EQ(code_of(client.send({.url = "http://localhost" + server.port()})),
              "net.unreachable") << "the proxy counts for other requests";
    EXPECT_EQ(send("http://receiver.test" + server.port()), "status 204");
    ::unsetenv("http_proxy");
}

TEST_F(PinnedRequest, goes_to_an_address_in_the_url_too) {
    Server server{{kNoContent}, "127.0.0.2"};
    EXPECT_EQ(send(server.url()), "status 204");
    EXPECT_EQ(send("http://[::1]" + server.port()), kAddressLoopback);
    EXPECT_EQ(resolver.asked, 0U);
    policy = EgressPolicy{
        {.allow = {IpNetwork::parse("::1").value()}, .clear_text = ClearText::to_allowed}};
    EXPECT_EQ(send("http://[::1]:1024"), "net.unreachable") << "let through; nothing listens";
}

TEST_F(PinnedRequest, has_a_url_or_a_target_and_not_both) {
    resolver.texts = {"127.0.0.1"};
    auto target = vet("https://receiver.test").value();
    EXPECT_EQ(code_of(client.send({.url = "https://other.test", .target = std::move(target)})),
              "net.invalid_url");
}

TEST(UrlRules, allow_clear_text_to_this_machine_alone) {
    for (const auto* url : {"https://sx.example", "https://10.0.0.1:8443/", "http://127.0.0.1:8080",
                            "http://127.8.9.10", "http://localhost:8080/x", "http://[::1]:8080"})
        EXPECT_TRUE(check_url(url)) << url;
    for (const auto* url :
         {"http://sx.example",
          "http://10.0.0.1",
          "http://[::2]",
          "http://0.0.0.0",
          "http://localhost.example",
          "http://[::ffff:10.0.0.1]"})
        EXPECT_EQ(check_url(url).error().code, kInsecureUrl) << url;
    const std::string with_nul{"http://127.0.0.1\0.sx.example", 28};
    for (const std::string& url :
         {std::string{"ftp://sx.example"}, std::string{"file:///etc/passwd"}, std::string{},
          std::string{"https://"}, std::string{"https://user:secret@sx.example"},
          std::string{"https:/sx.example"}, std::string{"https://@sx.example"},
          std::string{"http://127.0.0.1\\@sx.example"},
          std::string{"http://127.0.0.1 /"}, with_nul})
        EXPECT_EQ(check_url(url).error().code, kInvalidUrl) << url;
}

}  // namespace
}  // namespace synapsex::net

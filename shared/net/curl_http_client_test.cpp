// Real sockets on 127.0.0.1, each server a few lines that read one request and say what they were
// told to.

#include "shared/net/curl_http_client.hpp"

#include <array>
#include <atomic>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/net/url_rules.hpp"

namespace synapsex::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Serves one connection: for each of the answers it waits for a request's head.
class Server {
 public:
    explicit Server(std::vector<std::string> answers) : answers_(std::move(answers)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof address;
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 4) != 0)
            throw std::runtime_error("listen");
        ::getsockname(listener_, plain, &size);
        url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
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

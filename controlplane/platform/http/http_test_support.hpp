#pragma once

// For the tests of this folder: an application whose operations are lambdas, a server around it on
// a free port, and a client that speaks raw bytes.

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "controlplane/platform/http/server.hpp"
#include "controlplane/platform/http/worker_pool.hpp"
#include "tests/support/test_certificate.hpp"
#include "tests/support/tls_client.hpp"

namespace synapsex::http::testing {

using synapsex::testing::TestCertificate;
using synapsex::testing::TlsClient;
using synapsex::testing::TlsClientWish;

using namespace std::chrono_literals;

// How long a test waits for what has to happen. Never slept through.
inline constexpr auto kPatience = 10s;

// Polls until `condition` holds; false if it never does.
inline bool eventually(const std::function<bool()>& condition) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

inline int status_of(Kind kind) {
    switch (kind) {
        case Kind::invalid: return 400;
        case Kind::timeout: return 408;
        case Kind::too_large: return 413;
        case Kind::header_too_large: return 431;
        case Kind::unavailable: return 503;
        case Kind::deadline_exceeded: return 504;
        default: return 500;
    }
}

// Answers each path by its own operation; "/" by "hello".
class FakeApplication final : public Application {
 public:
    using Run = std::function<void(const RequestHead&, std::string body, Plan::DoneFn)>;

    void on(const std::string& path, Run run, std::size_t body_bytes_max = 1024) {
        operations_[path] = {std::move(run), body_bytes_max};
    }
    void on_plan(const std::string& path, std::function<Plan()> make) {
        plans_[path] = std::move(make);
    }

    Plan plan(const RequestHead& head) override {
        if (const auto found = plans_.find(head.path); found != plans_.end())
            return found->second();
        Plan plan;
        const auto found = operations_.find(head.path);
        if (found == operations_.end()) {
            plan.reply = text_reply(404, "no such path");
            return plan;
        }
        plan.body_bytes_max = found->second.body_bytes_max;
        plan.run = [run = found->second.run, head](std::string body, Plan::DoneFn done) {
            run(head, std::move(body), std::move(done));
        };
        return plan;
    }

    api::Reply failure(const Problem& problem, const RequestHead*) override {
        auto reply = text_reply(status_of(problem.kind), problem.code);
        reply.content_type = "application/problem+json";
        if (problem.retry_after)
            reply.headers.emplace_back("Retry-After", std::to_string(problem.retry_after->count()));
        return reply;
    }

    void finished(const RequestHead* head, int status, std::chrono::nanoseconds) override {
        const std::lock_guard lock{mutex_};
        finished_.push_back(status);
        if (head != nullptr) headers_of_last_ = head->headers.size();
    }

    void finish_held(
        std::function<api::Reply(api::Wake)> finish,
        api::Wake wake,
        std::function<void(api::Reply)> done
    ) override {
        pool.submit([finish = std::move(finish), wake, done = std::move(done)] {
            done(finish(wake));
        });
    }

    std::vector<int> finished_statuses() const {
        const std::lock_guard lock{mutex_};
        return finished_;
    }

    std::size_t headers_of_last() const {
        const std::lock_guard lock{mutex_};
        return headers_of_last_;
    }

    static api::Reply text_reply(int status, std::string body) {
        return {.status = status, .content_type = "text/plain", .body = std::move(body)};
    }

    WorkerPool pool{{.threads = 4}};

 private:
    struct Operation {
        Run run;
        std::size_t body_bytes_max;
    };
    std::map<std::string, Operation> operations_{
        {"/", {[](const RequestHead&, std::string, const Plan::DoneFn& done) {
                   done(text_reply(200, "hello"));
               },
               0}},
        {"/echo", {[](const RequestHead&, std::string body, const Plan::DoneFn& done) {
                       done(text_reply(200, std::move(body)));
                   },
                   1024}},
    };
    std::map<std::string, std::function<Plan()>> plans_{};
    mutable std::mutex mutex_;
    std::vector<int> finished_{};
    std::size_t headers_of_last_ = 0;
};

struct Response {
    int status = 0;
    std::map<std::string, std::string> headers{};  // names as sent
    std::string body{};
};

// With SYNAPSEX_TEST_TLS=1 in the environment the tests' connections speak TLS: what holds in clear
// holds there.
inline bool is_tls() { return std::getenv("SYNAPSEX_TEST_TLS") != nullptr; }

inline int connect_to(std::uint16_t port, int receive_buffer_bytes = 0) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer_bytes > 0)
        ::setsockopt(
            socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes
        );
    const timeval patience{std::chrono::seconds{kPatience}.count(), 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::connect(socket, generic, sizeof address), 0);
    return socket;
}

// A connection that says exactly what it is told to.
class Client {
 public:
    explicit Client(std::uint16_t port, int receive_buffer_bytes = 0)
        : socket_(connect_to(port, receive_buffer_bytes)) {}
    // By TLS; what goes wrong with it shows as an end of the connection.
    Client(std::uint16_t port, const TlsClientWish& wish, int receive_buffer_bytes = 0)
        : Client(port, receive_buffer_bytes) {
        tls_ = std::make_unique<TlsClient>(socket_, wish);
        tls_->connect();
    }
    ~Client() { close(); }
    Client(Client&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)),
          tls_(std::move(other.tls_)),
          unread_(std::move(other.unread_)) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = tls_ ? tls_->send(bytes)
                                   : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;  // the server may have closed; the test asks what it said
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    void get(const std::string& path) {
        send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }

    // The next response; status 0 if the connection ended instead. `has_body`: not to HEAD.
    enum class Body { expected, none };
    Response read(Body expected = Body::expected) {
        Response response;
        std::size_t end = 0;
        while ((end = unread_.find("\r\n\r\n")) == std::string::npos)
            if (!receive()) return response;
        parse_head(unread_.substr(0, end + 2), response);
        unread_.erase(0, end + 4);
        if (expected == Body::none || response.headers.count("Content-Length") == 0)
            return response;
        const auto size = std::stoul(response.headers["Content-Length"]);
        while (unread_.size() < size)
            if (!receive()) return response;
        response.body = unread_.substr(0, size);
        unread_.erase(0, size);
        return response;
    }
    Response ask(const std::string& path) {
        get(path);
        return read();
    }

    // Whether the server ends the connection without another byte.
    bool is_closed() { return !receive() && unread_.empty(); }
    // Nothing has come, and nothing has ended.
    bool is_quiet() {
        pollfd waiting{socket_, POLLIN, 0};
        if (::poll(&waiting, 1, 0) == 0) return true;
        if (!tls_) return false;
        ::fcntl(socket_, F_SETFL, O_NONBLOCK);
        const bool is_quiet = tls_->is_quiet();  // what came was not for us
        ::fcntl(socket_, F_SETFL, 0);
        return is_quiet;
    }
    std::size_t receive_all() {
        while (receive()) {}
        return unread_.size();
    }
    void end_sending() {
        if (tls_) tls_->end_sending();
        ::shutdown(socket_, SHUT_WR);
    }
    void reset() {
        const linger now{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }
    void close() {
        if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    }

 private:
    bool receive() {
        pollfd waiting{socket_, POLLIN, 0};
        const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(kPatience);
        const bool has_pending = tls_ && tls_->has_pending();
        if (!has_pending && ::poll(&waiting, 1, static_cast<int>(patience.count())) != 1) {
            ADD_FAILURE() << "the server neither answered nor closed";
            return false;
        }
        char bytes[16384];
        const auto got = tls_ ? tls_->receive(bytes, sizeof bytes)
                              : ::recv(socket_, bytes, sizeof bytes, 0);
        if (got <= 0) return false;
        unread_.append(bytes, static_cast<std::size_t>(got));
        return true;
    }

    static void parse_head(const std::string& head, Response& response) {
        response.status = std::stoi(head.substr(head.find(' ') + 1, 3));
        std::size_t line = head.find("\r\n") + 2;
        while (line < head.size()) {
            const auto end = head.find("\r\n", line);
            const auto colon = head.find(": ", line);
            response.headers[head.substr(line, colon - line)] =
                head.substr(colon + 2, end - colon - 2);
            line = end + 2;
        }
    }

    int socket_;
    std::unique_ptr<TlsClient> tls_{};
    std::string unread_{};
};

class HttpTest : public ::testing::Test {
 protected:
    HttpTest() {
        options.endpoints.front().port = 0;
        options.limits.sweep_interval = 10ms;
        if (is_tls()) options.endpoints.front().certificate = &tls_certificate();
    }
    // After the options are as the test wants them.
    void start() {
        server = std::make_unique<Server>(options, application);
        server->start();
    }
    Client connect(int receive_buffer_bytes = 0) {
        if (!is_tls()) return Client{server->port(), receive_buffer_bytes};
        return Client{server->port(), tls_wish(), receive_buffer_bytes};
    }
    static TestCertificate& certificate_files() {
        static TestCertificate files;
        return files;
    }
    static net::TlsCertificate& tls_certificate() {
        static const auto kCertificate =
            net::TlsCertificate::open(certificate_files().files()).value();
        return *kCertificate;
    }
    static TlsClientWish tls_wish() {
        return {.trusts = certificate_files().files().certificate};
    }

    ServerOptions options;
    FakeApplication application;
    std::unique_ptr<Server> server;
};

}  // namespace synapsex::http::testing

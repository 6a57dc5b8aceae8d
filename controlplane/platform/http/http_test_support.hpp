#pragma once

// For the tests of this folder: an application whose operations are lambdas, a server around it on
// a free port, and a client that speaks raw bytes.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
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

namespace synapsex::http::testing {

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

// A connection that says exactly what it is told to.
class Client {
 public:
    explicit Client(std::uint16_t port, int receive_buffer_bytes = 0)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        if (receive_buffer_bytes > 0)
            ::setsockopt(
                socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes
            );
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto* generic = reinterpret_cast<const sockaddr*>(&address);
        EXPECT_EQ(::connect(socket_, generic, sizeof address), 0);
    }
    ~Client() { close(); }
    Client(Client&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), unread_(std::move(other.unread_)) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
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
        return ::poll(&waiting, 1, 0) == 0;
    }
    std::size_t receive_all() {
        while (receive()) {}
        return unread_.size();
    }
    void end_sending() { ::shutdown(socket_, SHUT_WR); }
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
        if (::poll(&waiting, 1, static_cast<int>(patience.count())) != 1) {
            ADD_FAILURE() << "the server neither answered nor closed";
            return false;
        }
        char bytes[16384];
        const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
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
    std::string unread_{};
};

class HttpTest : public ::testing::Test {
 protected:
    HttpTest() {
        options.port = 0;
        options.limits.sweep_interval = 10ms;
    }
    // After the options are as the test wants them.
    void start() {
        server = std::make_unique<Server>(options, application);
        server->start();
    }
    Client connect() { return Client{server->port()}; }

    ServerOptions options;
    FakeApplication application;
    std::unique_ptr<Server> server;
};

}  // namespace synapsex::http::testing

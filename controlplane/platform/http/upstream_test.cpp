#include "controlplane/platform/http/upstream.hpp"

#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <future>

#include "controlplane/platform/http/http_test_support.hpp"

namespace synapsex::http::testing {
namespace {

// A peer that says what it is told to, whatever it was asked: the scripts of its connections.
class ScriptedPeer {
 public:
    using Script = std::function<void(int connection)>;

    explicit ScriptedPeer(std::vector<Script> scripts) : scripts_(std::move(scripts)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listener_, generic, size), 0);
        EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
        EXPECT_EQ(::listen(listener_, 16), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread{[this] {
            for (const auto& script : scripts_) {
                const int connection = ::accept(listener_, nullptr, nullptr);
                if (connection < 0) return;
                script(connection);
                ::close(connection);
                ++served_;
            }
        }};
    }
    ~ScriptedPeer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }

    UpstreamPeer peer() const { return {"scripted", "127.0.0.1", port_}; }
    std::size_t served() const { return served_; }

    // Reads a request to the end of its head and body, as far as these tests send any.
    static std::string read_request(int connection, std::size_t body_bytes = 0) {
        std::string text;
        char byte = 0;
        while (text.find("\r\n\r\n") == std::string::npos && ::recv(connection, &byte, 1, 0) == 1)
            text += byte;
        for (std::size_t i = 0; i < body_bytes && ::recv(connection, &byte, 1, 0) == 1; ++i)
            text += byte;
        return text;
    }
    // Reads a request and says this, whatever that is.
    static Script says(std::string answer, std::size_t body_bytes = 0) {
        return [answer = std::move(answer), body_bytes](int connection) {
            read_request(connection, body_bytes);
            ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
        };
    }

 private:
    std::vector<Script> scripts_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<std::size_t> served_{0};
    std::thread thread_;
};

// An Upstream to a server of this project. /park?<key> is held.
class UpstreamTest : public HttpTest {
 protected:
    UpstreamTest() {
        options.endpoints.front().certificate = nullptr;
        application.on("/park", [this](const RequestHead& head, std::string, const auto& done) {
            done(api::HeldReply{lot.park(head.query), 600s, [](api::Wake) {
                                    return FakeApplication::text_reply(200, "woken");
                                }});
        });
        application.on("/slow", [](const RequestHead&, std::string, const auto&) {});
        application.on("/headers", [](const RequestHead& head, std::string body, const auto& done) {
            auto reply = FakeApplication::text_reply(201, head.method + " " + head.query + " " +
                                                              std::string{head.header("x-in")} +
                                                              " " + body);
            reply.headers.emplace_back("X-Out", "said");
            done(std::move(reply));
        });
    }
    ~UpstreamTest() override {
        upstream.reset();
        server.reset();  // before the lot
    }

    UpstreamPeer peer() const { return {"test-service", "127.0.0.1", server->port()}; }

    struct Waiting {
        std::unique_ptr<Exchange> exchange;
        std::future<Result<api::Reply>> outcome;

        Result<api::Reply> get() {
            if (outcome.wait_for(kPatience) != std::future_status::ready)
                return Problem{Kind::internal, "test.no_outcome", "It never came."};
            return outcome.get();
        }
    };
    Waiting begin(const UpstreamPeer& to, UpstreamRequest request) {
        const auto promise = std::make_shared<std::promise<Result<api::Reply>>>();
        Waiting waiting{nullptr, promise->get_future()};
        waiting.exchange = upstream->send(to, std::move(request), [promise](auto outcome) {
            promise->set_value(std::move(outcome));
        });
        return waiting;
    }
    Result<api::Reply> ask(const UpstreamPeer& to, UpstreamRequest request) {
        return begin(to, std::move(request)).get();
    }
    static std::string code_of(const Result<api::Reply>& outcome) {
        return outcome ? "answered " + std::to_string(outcome->status) : outcome.error().code;
    }
    static Deadline in(std::chrono::milliseconds budget) {
        return Deadline::after(SystemClock{}, budget);
    }

    api::ParkingLot lot;
    UpstreamLimits limits;
    std::unique_ptr<Upstream> upstream = std::make_unique<Upstream>();
};

TEST_F(UpstreamTest, request_and_answer_arrive_whole) {
    start();
    const auto reply = ask(
        peer(), {.method = "POST",
                 .target = "/headers?a=1&b=%20",
                 .headers = {{"X-In", "asked"}},
                 .body = "the body"}
    );
    ASSERT_TRUE(reply) << reply.error().code;
    EXPECT_EQ(reply->status, 201);
    EXPECT_EQ(reply->body, "POST a=1&b=%20 asked the body");
    EXPECT_EQ(reply->content_type, "text/plain");
    // Date, Server and Content-Length are the business of whoever passes it on.
    using Headers = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(reply->headers, (Headers{{"X-Out", "said"}}));
}

TEST_F(UpstreamTest, a_connection_is_used_again) {
    start();
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(ask(peer(), {.method = "GET", .target = "/"})->body, "hello");
    EXPECT_EQ(server->counters().accepted, 1U);
}

TEST_F(UpstreamTest, a_large_body_goes_both_ways) {
    application.on(
        "/large",
        [](const RequestHead&, std::string body, const auto& done) {
            done(FakeApplication::text_reply(200, std::move(body)));
        },
        8 * 1024 * 1024
    );
    start();
    const std::string body(5 * 1024 * 1024, 'x');
    const auto reply = ask(peer(), {.method = "POST", .target = "/large", .body = body});
    ASSERT_TRUE(reply) << reply.error().code;
    EXPECT_TRUE(reply->body == body);
}

TEST_F(UpstreamTest, a_name_is_looked_up) {
    start();
    const UpstreamPeer here{"test-service", "localhost", server->port()};
    EXPECT_EQ(code_of(ask(here, {.method = "GET", .target = "/"})), "answered 200");
    const UpstreamPeer nowhere{"test-service", "no-such-host.invalid", 1};
    EXPECT_EQ(code_of(ask(nowhere, {.method = "GET", .target = "/"})), "service.unreachable");
}

TEST_F(UpstreamTest, a_peer_that_is_not_there_is_unreachable_and_may_be_tried_again) {
    start();
    const auto to = peer();
    server.reset();
    const auto reply = ask(to, {.method = "POST", .target = "/"});
    ASSERT_EQ(code_of(reply), "service.unreachable");
    EXPECT_EQ(reply.error().kind, Kind::unavailable);
    EXPECT_TRUE(reply.error().retry_after);
}

TEST_F(UpstreamTest, a_peer_that_takes_no_connection_costs_the_connect_timeout) {
    limits.connect_timeout = 50ms;
    upstream = std::make_unique<Upstream>(limits);
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener, generic, size), 0);
    ASSERT_EQ(::getsockname(listener, generic, &size), 0);
    ASSERT_EQ(::listen(listener, 0), 0);
    std::vector<Client> filling;  // its queue
    filling.emplace_back(ntohs(address.sin_port));
    const UpstreamPeer full{"full", "127.0.0.1", ntohs(address.sin_port)};
    EXPECT_EQ(code_of(ask(full, {.method = "GET", .target = "/"})), "service.unreachable");
    ::close(listener);
}

TEST_F(UpstreamTest, an_answer_that_does_not_come_in_time_ends_the_inner_request) {
    start();
    const auto reply =
        ask(peer(), {.method = "POST", .target = "/park?a", .deadline = in(100ms)});
    ASSERT_EQ(code_of(reply), "service.too_slow");
    EXPECT_EQ(reply.error().kind, Kind::deadline_exceeded);
    EXPECT_TRUE(eventually([&] { return lot.size() == 0; }));
}

TEST_F(UpstreamTest, giving_up_ends_the_inner_request_and_tells_nobody) {
    start();
    auto waiting = begin(peer(), {.method = "POST", .target = "/park?a"});
    ASSERT_TRUE(eventually([&] { return lot.size() == 1; }));
    waiting.exchange.reset();
    EXPECT_TRUE(eventually([&] { return lot.size() == 0; }));
    // The promise went with its callback.
    ASSERT_EQ(waiting.outcome.wait_for(kPatience), std::future_status::ready);
    EXPECT_THROW(waiting.outcome.get(), std::future_error);
    EXPECT_EQ(code_of(ask(peer(), {.method = "GET", .target = "/"})), "answered 200");
}

TEST_F(UpstreamTest, giving_up_before_it_began_or_after_it_ended_is_well) {
    start();
    for (int i = 0; i < 100; ++i) begin(peer(), {.method = "GET", .target = "/"}).exchange.reset();
    auto waiting = begin(peer(), {.method = "GET", .target = "/"});
    EXPECT_EQ(code_of(waiting.get()), "answered 200");
    waiting.exchange.reset();
    EXPECT_EQ(code_of(ask(peer(), {.method = "GET", .target = "/"})), "answered 200");
}

TEST_F(UpstreamTest, a_peer_that_dies_before_or_within_its_answer_loses_it) {
    for (const std::string answer :
         {"", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123"}) {
        ScriptedPeer scripted{{ScriptedPeer::says(answer)}};
        const auto reply = ask(scripted.peer(), {.method = "GET", .target = "/"});
        ASSERT_EQ(code_of(reply), "service.answer_lost") << answer;
        EXPECT_EQ(reply.error().kind, Kind::deadline_exceeded);
    }
}

TEST_F(UpstreamTest, what_is_no_answer_is_bad) {
    limits.head_bytes_max = 100;
    limits.body_bytes_max = 10;
    upstream = std::make_unique<Upstream>(limits);
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    for (const std::string& answer :
         {std::string{"SSH-2.0-OpenSSH_9.2\r\n\r\n"}, ok + "Content-Length: 11\r\n\r\n12345678901",
          ok + "X: " + std::string(200, 'x') + "\r\nContent-Length: 0\r\n\r\n",
          ok + "Transfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n",
          ok + "Content-Length: 1\r\n\r\n12", std::string{"HTTP/1.1 100 Continue\r\n\r\n"}}) {
        ScriptedPeer scripted{{ScriptedPeer::says(answer)}};
        const auto reply = ask(scripted.peer(), {.method = "GET", .target = "/"});
        EXPECT_EQ(code_of(reply), "service.bad_answer") << answer;
    }
}

TEST_F(UpstreamTest, an_answer_in_chunks_or_to_the_end_of_the_connection_is_one) {
    ScriptedPeer scripted{
        {ScriptedPeer::says(
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
         ),
         ScriptedPeer::says("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc")}};
    for (int i = 0; i < 2; ++i) {
        const auto reply = ask(scripted.peer(), {.method = "GET", .target = "/"});
        ASSERT_TRUE(reply) << reply.error().code;
        EXPECT_EQ(reply->body, "abc");
        EXPECT_TRUE(reply->headers.empty());
    }
}

TEST_F(UpstreamTest, a_connection_that_was_ended_meanwhile_is_not_used) {
    options.limits.idle_timeout = 20ms;
    start();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(code_of(ask(peer(), {.method = "POST", .target = "/echo"})), "answered 200");
        ASSERT_TRUE(eventually([&] { return server->counters().open == 0; }));
    }
    EXPECT_EQ(server->counters().accepted, 3U);
}

// The peer answers once, keeps the connection, takes a second request there and dies of it.
ScriptedPeer::Script dies_of_the_second() {
    return [](int connection) {
        ScriptedPeer::says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(connection);
        ScriptedPeer::read_request(connection);
    };
}

TEST_F(UpstreamTest, only_a_read_is_asked_again_when_a_kept_connection_dies) {
    const auto answer = ScriptedPeer::says("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    ScriptedPeer scripted{{dies_of_the_second(), answer}};
    EXPECT_EQ(code_of(ask(scripted.peer(), {.method = "GET", .target = "/"})), "answered 200");
    EXPECT_EQ(code_of(ask(scripted.peer(), {.method = "GET", .target = "/"})), "answered 201");

    ScriptedPeer other{{dies_of_the_second()}};
    EXPECT_EQ(code_of(ask(other.peer(), {.method = "GET", .target = "/"})), "answered 200");
    EXPECT_EQ(
        code_of(ask(other.peer(), {.method = "POST", .target = "/"})), "service.answer_lost"
    );
    EXPECT_TRUE(eventually([&] { return other.served() == 1; }));
}

TEST_F(UpstreamTest, an_early_refusal_of_a_large_body_is_the_answer) {
    start();  // /echo takes 1 KiB
    const std::string body(4 * 1024 * 1024, 'x');
    EXPECT_EQ(
        code_of(ask(peer(), {.method = "POST", .target = "/echo", .body = body})), "answered 413"
    );
}

TEST_F(UpstreamTest, more_exchanges_than_the_limit_are_refused) {
    limits.exchanges_max = 2;
    upstream = std::make_unique<Upstream>(limits);
    start();
    auto first = begin(peer(), {.method = "POST", .target = "/park?1"});
    auto second = begin(peer(), {.method = "POST", .target = "/park?2"});
    ASSERT_TRUE(eventually([&] { return lot.size() == 2; }));
    const auto third = ask(peer(), {.method = "GET", .target = "/"});
    ASSERT_EQ(code_of(third), "service.busy");
    EXPECT_TRUE(third.error().retry_after);
    lot.wake_all(api::Wake::news);
    EXPECT_EQ(code_of(first.get()), "answered 200");
    EXPECT_EQ(code_of(second.get()), "answered 200");
    EXPECT_EQ(code_of(ask(peer(), {.method = "GET", .target = "/"})), "answered 200");
}

TEST_F(UpstreamTest, its_end_ends_what_is_on_its_way) {
    start();
    auto held = begin(peer(), {.method = "POST", .target = "/park?1"});
    auto slow = begin(peer(), {.method = "GET", .target = "/slow"});
    ASSERT_TRUE(eventually([&] { return lot.size() == 1; }));
    upstream.reset();
    EXPECT_EQ(code_of(held.get()), "service.answer_lost");
    EXPECT_EQ(code_of(slow.get()), "service.answer_lost");
    held.exchange.reset();
}

std::size_t threads_of_this_process() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/task"}) {
        static_cast<void>(entry);
        ++count;
    }
    return count;
}

TEST_F(UpstreamTest, two_thousand_held_answers_cost_no_thread) {
    constexpr std::size_t kCount = 2'000;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 3 * kCount);
    ::setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < 3 * kCount) GTEST_SKIP() << "may open " << files.rlim_cur << " files";
    start();
    ASSERT_EQ(code_of(ask(peer(), {.method = "GET", .target = "/"})), "answered 200");
    const auto threads = threads_of_this_process();
    std::vector<Waiting> waiting;
    for (std::size_t i = 0; i < kCount; ++i)
        waiting.push_back(
            begin(peer(), {.method = "POST", .target = "/park?" + std::to_string(i)})
        );
    ASSERT_TRUE(eventually([&] { return lot.size() == kCount; }));
    EXPECT_EQ(threads_of_this_process(), threads);
    lot.wake_all(api::Wake::news);
    for (auto& each : waiting) ASSERT_EQ(code_of(each.get()), "answered 200");
}

}  // namespace
}  // namespace synapsex::http::testing

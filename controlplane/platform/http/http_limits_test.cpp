#include <algorithm>
#include <future>

#include "controlplane/platform/http/http_test_support.hpp"

namespace synapsex::http::testing {
namespace {

std::string post(std::string_view path, std::string_view framing, std::string_view body) {
    return "POST " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" + std::string{framing} +
           "\r\n\r\n" + std::string{body};
}

// The problem is readable although the server closes with unread bytes before it.
void expect_refusal(Client& client, int status, std::string_view code) {
    const auto response = client.read();
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body, code);
    EXPECT_EQ(response.headers.at("Content-Type"), "application/problem+json");
    EXPECT_EQ(response.headers.at("Connection"), "close");
    client.end_sending();
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpTest, takes_a_header_of_exactly_the_limit_and_no_more) {
    options.limits.header_bytes_max = 1024;
    start();
    const std::string start_of_head = "GET / HTTP/1.1\r\nHost: a\r\nX-Fill: ";
    const auto head = [&](std::size_t size) {
        return start_of_head + std::string(size - start_of_head.size() - 4, 'x') + "\r\n\r\n";
    };
    auto client = connect();
    client.send(head(1024));
    EXPECT_EQ(client.read().status, 200);
    client.send(head(1025));
    expect_refusal(client, 431, "request.header_too_large");
}

TEST_F(HttpTest, counts_the_target_as_header) {
    start();
    auto client = connect();
    client.send("GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_refusal(client, 431, "request.header_too_large");
}

TEST_F(HttpTest, refuses_more_header_fields_than_anyone_needs) {
    start();
    auto client = connect();
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 100; ++i) head += "a:b\r\n";
    client.send(head + "\r\n");
    expect_refusal(client, 431, "request.header_too_large");
}

TEST_F(HttpTest, refuses_an_announced_body_before_reading_it) {
    start();
    auto client = connect();
    client.send(post("/echo", "Content-Length: 1025", ""));
    expect_refusal(client, 413, "request.body_too_large");
}

TEST_F(HttpTest, refuses_a_huge_body_while_its_sender_still_sends) {
    start();
    auto client = connect();
    client.send(post("/echo", "Content-Length: 4000000", std::string(4'000'000, 'x')));
    expect_refusal(client, 413, "request.body_too_large");
}

TEST_F(HttpTest, refuses_a_chunked_body_once_it_is_too_large) {
    start();
    auto client = connect();
    const auto chunk = "200\r\n" + std::string(512, 'x') + "\r\n";
    client.send(post("/echo", "Transfer-Encoding: chunked", chunk + chunk));
    client.send("1\r\nx\r\n0\r\n\r\n");
    expect_refusal(client, 413, "request.body_too_large");
}

TEST_F(HttpTest, refuses_a_body_where_none_belongs) {
    start();
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    expect_refusal(client, 413, "request.body_too_large");
}

TEST_F(HttpTest, refuses_an_endless_chunk_line) {
    start();
    auto client = connect();
    client.send(post("/echo", "Transfer-Encoding: chunked", "1;" + std::string(20'000, 'x')));
    expect_refusal(client, 400, "request.malformed");
}

TEST_F(HttpTest, refuses_an_endless_trailer) {
    start();
    auto client = connect();
    const auto trailer = "0\r\nx: " + std::string(20'000, 'x');
    client.send(post("/echo", "Transfer-Encoding: chunked", trailer));
    expect_refusal(client, 400, "request.malformed");
}

TEST_F(HttpTest, answers_408_to_a_header_that_does_not_end) {
    options.limits.header_timeout = 50ms;
    start();
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost:");
    expect_refusal(client, 408, "request.timeout");
    EXPECT_EQ(server->counters().timed_out, 1u);
}

TEST_F(HttpTest, does_not_restart_the_header_timeout_with_each_byte) {
    options.limits.header_timeout = 100ms;
    start();
    auto client = connect();
    client.send("GET / HTTP/1.1\r\n");
    const auto is_refused = [&] {
        client.send("a");
        return !client.is_quiet();
    };
    EXPECT_TRUE(eventually(is_refused));
    EXPECT_EQ(client.read().status, 408);
}

TEST_F(HttpTest, answers_408_to_a_body_that_does_not_come) {
    options.limits.body_timeout = 50ms;
    start();
    auto client = connect();
    client.send(post("/echo", "Content-Length: 5", "four"));
    expect_refusal(client, 408, "request.timeout");
}

TEST_F(HttpTest, closes_idle_connections_in_silence) {
    options.limits.idle_timeout = 50ms;
    start();
    auto silent = connect();
    auto used = connect();
    EXPECT_EQ(used.ask("/").status, 200);
    EXPECT_TRUE(silent.is_closed());
    EXPECT_TRUE(used.is_closed());
    EXPECT_EQ(application.finished_statuses(), std::vector{200});
}

TEST_F(HttpTest, does_not_time_out_a_handler_that_works) {
    options.limits.header_timeout = options.limits.body_timeout = options.limits.idle_timeout =
        options.limits.write_timeout = 20ms;
    application.on("/slow", [&](const RequestHead&, std::string, const Plan::DoneFn& done) {
        application.pool.submit([done] {
            std::this_thread::sleep_for(100ms);  // the handler's work
            done(FakeApplication::text_reply(200, "worth waiting"));
        });
    });
    start();
    auto client = connect();
    EXPECT_EQ(client.ask("/slow").body, "worth waiting");
}

TEST_F(HttpTest, answers_504_for_a_handler_that_never_does) {
    options.limits.running_timeout = 50ms;
    std::promise<Plan::DoneFn> forgotten;
    application.on("/forgets", [&](const RequestHead&, std::string, Plan::DoneFn done) {
        forgotten.set_value(std::move(done));
    });
    start();
    auto client = connect();
    const auto response = client.ask("/forgets");
    EXPECT_EQ(response.status, 504);
    EXPECT_EQ(response.body, "server.no_answer");
    EXPECT_EQ(response.headers.at("Connection"), "close");
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(server->counters().timed_out, 1u);
    forgotten.get_future().get()(FakeApplication::text_reply(200, "after all"));
    EXPECT_EQ(application.finished_statuses(), std::vector{504});
}

TEST_F(HttpTest, holds_only_so_many_bytes_of_bodies_of_all_requests_together) {
    options.limits.body_bytes_in_flight_max = 100;
    std::promise<Plan::DoneFn> running;
    application.on("/slow", [&](const RequestHead&, std::string, Plan::DoneFn done) {
        running.set_value(std::move(done));
    });
    start();
    const std::string body(60, 'x');
    auto first = connect();
    first.send(post("/slow", "Content-Length: 60", body));
    const auto done = running.get_future().get();
    EXPECT_EQ(server->counters().body_bytes, 60u);
    auto small = connect();
    small.send(post("/echo", "Content-Length: 4", "body"));
    EXPECT_EQ(small.read().body, "body");
    auto second = connect();
    second.send(post("/echo", "Content-Length: 60", body));
    const auto refused = second.read();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.body, "server.bodies_exhausted");
    EXPECT_EQ(refused.headers.at("Retry-After"), "1");
    done(FakeApplication::text_reply(200, "done"));
    EXPECT_EQ(first.read().body, "done");
    EXPECT_TRUE(eventually([&] { return server->counters().body_bytes == 0; }));
    auto third = connect();
    third.send(post("/echo", "Content-Length: 60", body));
    EXPECT_EQ(third.read().body, body);
}

TEST_F(HttpTest, forgets_the_bytes_of_a_body_that_came_too_late) {
    options.limits.body_timeout = 50ms;
    start();
    auto late = connect();
    late.send(post("/echo", "Content-Length: 5", "four"));
    EXPECT_EQ(late.read().status, 408);
    EXPECT_TRUE(eventually([&] { return server->counters().body_bytes == 0; }));
}

TEST_F(HttpTest, forgets_the_bytes_of_a_body_whose_sender_left) {
    start();
    auto leaves = connect();
    leaves.send(post("/echo", "Content-Length: 5", "four"));
    EXPECT_TRUE(eventually([&] { return server->counters().body_bytes == 4; }));
    leaves.close();
    EXPECT_TRUE(eventually([&] { return server->counters().body_bytes == 0; }));
}

TEST_F(HttpTest, gives_up_on_a_client_that_does_not_read) {
    options.limits.write_timeout = 100ms;
    application.on("/huge", [](const RequestHead&, std::string, const Plan::DoneFn& done) {
        done(FakeApplication::text_reply(200, std::string(16 * 1024 * 1024, 'x')));
    });
    start();
    Client client = connect(4096);
    client.get("/huge");
    EXPECT_TRUE(eventually([&] { return server->counters().timed_out == 1; }));
    EXPECT_TRUE(eventually([&] { return server->counters().open == 0; }));
    EXPECT_EQ(application.finished_statuses(), std::vector{499});
    EXPECT_LT(client.receive_all(), std::size_t{16 * 1024 * 1024});
}

TEST_F(HttpTest, writes_an_answer_larger_than_the_sockets_buffer) {
    application.on("/huge", [](const RequestHead&, std::string, const Plan::DoneFn& done) {
        done(FakeApplication::text_reply(200, std::string(16 * 1024 * 1024, 'x')));
    });
    start();
    Client client = connect(4096);
    EXPECT_EQ(client.ask("/huge").body.size(), std::size_t{16 * 1024 * 1024});
    EXPECT_EQ(client.ask("/").status, 200);
}

TEST_F(HttpTest, tells_one_connection_too_many_to_come_back) {
    if (is_tls()) GTEST_SKIP() << "by TLS it is closed: a handshake costs more than there is";
    options.limits.connections_max = 2;
    start();
    auto first = connect();
    auto second = connect();
    EXPECT_EQ(first.ask("/").status, 200);
    EXPECT_EQ(second.ask("/").status, 200);
    {
        auto third = connect();
        const auto response = third.read();
        EXPECT_EQ(response.status, 503);
        EXPECT_EQ(response.body, "server.connections_exhausted");
        EXPECT_EQ(response.headers.at("Retry-After"), "5");
        EXPECT_TRUE(third.is_closed());
    }
    EXPECT_EQ(server->counters().refused, 1u);
    first.close();
    ASSERT_TRUE(eventually([&] { return server->counters().open == 1; }));
    auto fourth = connect();
    EXPECT_EQ(fourth.ask("/").status, 200);
}

class CrowdedHttpTest : public HttpTest {
 protected:
    CrowdedHttpTest() {
        options.limits.connections_max = 10;
        options.limits.crowded_header_timeout = 50ms;
        options.limits.crowded_body_timeout = 50ms;
        options.limits.crowded_idle_timeout = 50ms;
    }
    ~CrowdedHttpTest() override { server.reset(); }  // before the lot
    // Each has sent `bytes` and waits.
    std::vector<Client> slow_ones(int count, std::string_view bytes) {
        std::vector<Client> clients;
        for (int i = 0; i < count; ++i) {
            clients.push_back(connect());
            clients.back().send(bytes);
        }
        return clients;
    }

    api::ParkingLot lot;
};

TEST_F(CrowdedHttpTest, who_asks_for_nothing_leaves_when_nine_tenths_are_taken) {
    start();
    const std::string half_a_header = "GET / HTTP/1.1\r\nHost:";
    const auto half_a_body = post("/echo", "Content-Length: 5", "four");
    for (const auto& bytes : {std::string{}, half_a_header, half_a_body}) {
        SCOPED_TRACE(bytes);
        const auto before = server->counters().accepted;
        auto slow = slow_ones(9, bytes);
        ASSERT_TRUE(eventually([&] { return server->counters().accepted == before + 9; }));
        // As many as it takes to be below.
        ASSERT_TRUE(eventually([&] { return server->counters().open < 9; }));
        EXPECT_EQ(connect().ask("/").status, 200);
        const auto has_left = [](Client& client) { return !client.is_quiet(); };
        const auto left = std::find_if(slow.begin(), slow.end(), has_left);
        ASSERT_NE(left, slow.end());
        if (bytes.empty()) EXPECT_TRUE(left->is_closed());
        else EXPECT_EQ(left->read().status, 408);
        slow.clear();
        ASSERT_TRUE(eventually([&] { return server->counters().open == 0; }));
    }
}

TEST_F(CrowdedHttpTest, who_is_served_or_held_stays) {
    application.on("/held", [&](const RequestHead&, std::string, const Plan::DoneFn& done) {
        done(api::HeldReply{lot.park("agent-1"), 60s, [](api::Wake) {
            return FakeApplication::text_reply(200, "woken");
        }});
    });
    start();
    auto held = connect();
    held.get("/held");
    ASSERT_TRUE(eventually([&] { return server->counters().parked == 1; }));
    auto silent = slow_ones(8, "");
    ASSERT_TRUE(eventually([&] { return server->counters().accepted == 9; }));
    ASSERT_TRUE(eventually([&] { return server->counters().open < 9; }));
    EXPECT_TRUE(held.is_quiet());
    lot.wake("agent-1", api::Wake::news);
    EXPECT_EQ(held.read().status, 200);
}

TEST_F(CrowdedHttpTest, where_there_is_room_they_keep_their_time) {
    start();
    auto slow = slow_ones(7, "GET / HTTP/1.1\r\nHost:");
    auto client = connect();
    const auto until = std::chrono::steady_clock::now() + 500ms;
    while (std::chrono::steady_clock::now() < until) ASSERT_EQ(client.ask("/").status, 200);
    for (auto& other : slow) {
        EXPECT_TRUE(other.is_quiet());
        other.send(" a\r\n\r\n");
        EXPECT_EQ(other.read().status, 200);
    }
}

TEST_F(HttpTest, survives_connections_that_end_anywhere) {
    start();
    const std::string request = post("/echo", "Content-Length: 4", "body");
    for (std::size_t size = 0; size < request.size(); ++size) {
        auto ended = connect();
        ended.send(request.substr(0, size));
        ended.end_sending();
        EXPECT_TRUE(ended.is_closed()) << size;
        auto reset = connect();
        reset.send(request.substr(0, size));
        reset.reset();
    }
    EXPECT_TRUE(eventually([&] { return server->counters().open == 0; }));
}

TEST_F(HttpTest, refuses_what_two_parsers_could_read_differently) {
    start();
    // request_parser_test.cpp has the whole table; these go through sockets.
    const std::vector<std::string> attacks{
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
        post("/echo", "Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        post("/echo", "Content-Length: 4\r\nContent-Length: 4", "body"),
        post("/echo", "Transfer-Encoding: chunked", "4\nbody\r\n0\r\n\r\n"),
        post("/echo", "Transfer-Encoding: chunked", "4\r\nbodyX0\r\n\r\n"),
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    };
    for (const auto& attack : attacks) {
        auto client = connect();
        client.send(attack + "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        SCOPED_TRACE(attack);
        expect_refusal(client, 400, "request.malformed");
    }
}

}  // namespace
}  // namespace synapsex::http::testing

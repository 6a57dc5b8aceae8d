#include <atomic>
#include <future>

#include "controlplane/platform/http/http_test_support.hpp"

namespace synapsex::http::testing {
namespace {

TEST_F(HttpTest, answers_and_keeps_the_connection) {
    start();
    auto client = connect();
    for (int i = 0; i < 3; ++i) {
        const auto response = client.ask("/");
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "hello");
        EXPECT_EQ(response.headers.at("Content-Type"), "text/plain");
        EXPECT_EQ(response.headers.at("Content-Length"), "5");
        EXPECT_EQ(response.headers.at("Server"), "synapsex");
        EXPECT_TRUE(response.headers.at("Date").ends_with(" GMT"));
        EXPECT_EQ(response.headers.count("Connection"), 0u);
    }
    EXPECT_EQ(server->counters().accepted, 1u);
    server->stop();
    EXPECT_EQ(application.finished_statuses(), (std::vector{200, 200, 200}));
}

TEST_F(HttpTest, tells_the_application_the_whole_head) {
    RequestHead seen;
    application.on("/a%20b", [&](const RequestHead& head, std::string, const Plan::DoneFn& done) {
        seen = head;
        done(api::Reply{});
    });
    start();
    auto client = connect();
    client.send(
        "PATCH /a%20b?x=1&y=%2F HTTP/1.1\r\nHost: localhost\r\nX-Thing:  two words \r\n"
        "x-thing: again\r\nEmpty:\r\n\r\n"
    );
    EXPECT_EQ(client.read().status, 200);
    EXPECT_EQ(seen.method, "PATCH");
    EXPECT_EQ(seen.path, "/a%20b");
    EXPECT_EQ(seen.query, "x=1&y=%2F");
    EXPECT_EQ(seen.client_address, "127.0.0.1");
    EXPECT_EQ(seen.header("x-thing"), "two words");
    EXPECT_EQ(seen.header("empty"), "");
    EXPECT_EQ(seen.header("absent"), "");
    EXPECT_EQ(seen.headers.size(), 4u);
}

TEST_F(HttpTest, keeps_nothing_of_the_request_before) {
    RequestHead seen;
    application.on("/see", [&](const RequestHead& head, std::string, const Plan::DoneFn& done) {
        seen = head;
        done(api::Reply{});
    });
    start();
    auto client = connect();
    client.send("GET /see?secret=1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n");
    EXPECT_EQ(client.read().status, 200);
    client.send("GET /see HTTP/1.1\r\nHost: b\r\n\r\n");
    EXPECT_EQ(client.read().status, 200);
    EXPECT_EQ(seen.query, "");
    EXPECT_EQ(seen.headers, (std::vector<std::pair<std::string, std::string>>{{"host", "b"}}));
}

TEST_F(HttpTest, answers_pipelined_requests_in_order) {
    application.on("/slow", [&](const RequestHead&, std::string body, const Plan::DoneFn& done) {
        application.pool.submit([done, body] { done(FakeApplication::text_reply(200, body)); });
    });
    start();
    auto client = connect();
    client.send(
        "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo"
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    );
    EXPECT_EQ(client.read().body, "one");
    EXPECT_EQ(client.read().body, "two");
    EXPECT_EQ(client.read().body, "hello");
}

TEST_F(HttpTest, answers_many_pipelined_requests_that_arrive_in_one_piece) {
    start();
    auto client = connect();
    std::string many;
    for (int i = 0; i < 2000; ++i) many += "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(many);
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(client.read().status, 200) << i;
}

TEST_F(HttpTest, reads_chunked_bodies_however_they_are_cut) {
    start();
    const std::string request =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n1;note=\"x\"\r\n,\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n";
    for (const std::size_t piece : {1, 2, 7, 4096}) {
        auto client = connect();
        for (std::size_t at = 0; at < request.size(); at += piece)
            client.send(request.substr(at, piece));
        EXPECT_EQ(client.read().body, "hello, world") << piece;
        EXPECT_EQ(client.ask("/").status, 200) << piece;
    }
}

TEST_F(HttpTest, reads_a_body_larger_than_its_buffer) {
    application.on("/large", [](const RequestHead&, std::string body, const Plan::DoneFn& done) {
        done(FakeApplication::text_reply(200, std::move(body)));
    }, 4 * 1024 * 1024);
    start();
    auto client = connect();
    std::string body;
    for (int i = 0; body.size() < 3 * 1024 * 1024; ++i) body += std::to_string(i) + ",";
    std::thread sender{[&] {
        client.send(
            "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body
        );
    }};
    const auto response = client.read();
    sender.join();
    EXPECT_TRUE(response.body == body);
}

TEST_F(HttpTest, sends_to_head_what_get_has_but_the_body) {
    start();
    auto client = connect();
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto head = client.read(Client::Body::none);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.at("Content-Length"), "5");
    EXPECT_EQ(client.ask("/").body, "hello");
}

TEST_F(HttpTest, sends_no_length_with_204) {
    application.on("/none", [](const RequestHead&, std::string, const Plan::DoneFn& done) {
        done(api::Reply{.status = 204, .content_type = "", .body = "must not be sent"});
    });
    start();
    auto client = connect();
    const auto response = client.ask("/none");
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.headers.count("Content-Length"), 0u);
    EXPECT_EQ(response.headers.count("Content-Type"), 0u);
    EXPECT_EQ(client.ask("/").body, "hello");
}

TEST_F(HttpTest, continues_when_the_client_waits_for_it) {
    start();
    auto client = connect();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    );
    EXPECT_EQ(client.read().status, 100);
    client.send("body");
    EXPECT_EQ(client.read().body, "body");
}

TEST_F(HttpTest, refuses_at_once_a_body_that_nobody_will_read) {
    start();
    auto client = connect();
    client.send(
        "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    );
    const auto response = client.read();
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.headers.at("Connection"), "close");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpTest, closes_after_http_1_0_unless_asked_to_keep) {
    start();
    auto client = connect();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(client.read().headers.at("Connection"), "keep-alive");
    client.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client.read().headers.at("Connection"), "close");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpTest, closes_when_the_client_says_so) {
    start();
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.read().headers.at("Connection"), "close");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpTest, answers_500_when_the_application_throws) {
    application.on_plan("/plan", []() -> Plan { throw std::runtime_error{"planned"}; });
    application.on("/run", [](const RequestHead&, std::string, const Plan::DoneFn&) {
        throw std::runtime_error{"run"};
    });
    start();
    auto client = connect();
    EXPECT_EQ(client.ask("/plan").body, "internal.error");
    EXPECT_EQ(client.ask("/run").body, "internal.error");
    EXPECT_EQ(client.ask("/").body, "hello");
}

TEST_F(HttpTest, leaves_out_headers_that_would_forge_others) {
    application.on("/forge", [](const RequestHead&, std::string, const Plan::DoneFn& done) {
        auto reply = FakeApplication::text_reply(200, "x");
        reply.headers = {{"Location", "/a\r\nSet-Cookie: b=c"}, {"ETag", "\"1\""}};
        done(std::move(reply));
    });
    start();
    auto client = connect();
    const auto response = client.ask("/forge");
    EXPECT_EQ(response.headers.count("Location"), 0u);
    EXPECT_EQ(response.headers.count("Set-Cookie"), 0u);
    EXPECT_EQ(response.headers.at("ETag"), "\"1\"");
}

TEST_F(HttpTest, drops_an_answer_that_nobody_waits_for) {
    std::promise<Plan::DoneFn> late;
    application.on("/late", [&](const RequestHead&, std::string, Plan::DoneFn done) {
        late.set_value(std::move(done));
    });
    start();
    Plan::DoneFn done;
    {
        auto client = connect();
        client.get("/late");
        done = late.get_future().get();
        client.reset();
    }
    done(FakeApplication::text_reply(200, "too late"));
    EXPECT_TRUE(eventually([&] { return server->counters().open == 0; }));
    done(FakeApplication::text_reply(200, "twice"));
    server->stop();
    done(FakeApplication::text_reply(200, "after the server"));
}

TEST_F(HttpTest, sends_lasting_bytes_as_they_are) {
    static const std::string file(1024 * 1024, 'x');
    application.on("/file", [](const RequestHead&, std::string, const Plan::DoneFn& done) {
        done(api::Reply{.lasting_body = file});
    });
    start();
    auto client = connect();
    EXPECT_EQ(client.ask("/file").body, file);
    client.send("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read(Client::Body::none).headers.at("Content-Length"), "1048576");
}

TEST_F(HttpTest, serves_500_connections_at_once_on_two_threads) {
    options.io_threads = 2;
    application.on("/pool", [&](const RequestHead&, std::string body, const Plan::DoneFn& done) {
        const auto work = [done, body] { done(FakeApplication::text_reply(200, body)); };
        if (!application.pool.submit(work)) done(FakeApplication::text_reply(503, "busy"));
    });
    start();
    std::vector<Client> clients;
    for (int i = 0; i < 500; ++i) clients.push_back(connect());
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < clients.size(); ++i) {
            const auto body = std::to_string(i);
            clients[i].send(
                "POST /pool HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body
            );
        }
        for (std::size_t i = 0; i < clients.size(); ++i)
            ASSERT_EQ(clients[i].read().body, std::to_string(i));
    }
    EXPECT_EQ(server->counters().open, 500u);
    clients.clear();
    EXPECT_TRUE(eventually([&] { return server->counters().open == 0; }));
}

TEST_F(HttpTest, says_which_address_is_taken) {
    start();
    ServerOptions second;
    second.endpoints.front().port = server->port();
    try {
        const Server other{second, application};
        FAIL() << "two servers on one port";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::address_in_use);
    }
}

TEST_F(HttpTest, never_started_stops_at_once) {
    server = std::make_unique<Server>(options, application);
    server->stop();
}

TEST_F(HttpTest, drain_finishes_requests_in_flight_and_closes_idle_connections) {
    std::promise<Plan::DoneFn> running;
    application.on("/slow", [&](const RequestHead&, std::string, Plan::DoneFn done) {
        running.set_value(std::move(done));
    });
    start();
    auto idle = connect();
    EXPECT_EQ(idle.ask("/").status, 200);
    auto silent = connect();
    auto busy = connect();
    busy.get("/slow");
    const Plan::DoneFn done = running.get_future().get();

    auto stopped = std::async(std::launch::async, [&] { server->stop(); });
    EXPECT_TRUE(idle.is_closed());
    EXPECT_TRUE(silent.is_closed());
    EXPECT_TRUE(busy.is_quiet());
    done(FakeApplication::text_reply(200, "finished"));
    const auto response = busy.read();
    EXPECT_EQ(response.body, "finished");
    EXPECT_EQ(response.headers.at("Connection"), "close");
    EXPECT_TRUE(busy.is_closed());
    EXPECT_EQ(stopped.wait_for(kPatience), std::future_status::ready);
    EXPECT_EQ(server->counters().open, 0u);
}

TEST_F(HttpTest, drain_gives_up_on_a_handler_that_never_answers) {
    options.limits.drain_timeout = 50ms;
    std::promise<Plan::DoneFn> running;
    application.on("/stuck", [&](const RequestHead&, std::string, Plan::DoneFn done) {
        running.set_value(std::move(done));
    });
    start();
    auto client = connect();
    client.get("/stuck");
    const Plan::DoneFn done = running.get_future().get();
    server->stop();
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(application.finished_statuses(), std::vector{499});
    done(FakeApplication::text_reply(200, "too late"));
}

}  // namespace
}  // namespace synapsex::http::testing

#include <sys/resource.h>

#include <future>

#include "controlplane/platform/http/http_test_support.hpp"

namespace synapsex::http::testing {
namespace {

using api::Wake;

std::string wake_name(Wake wake) {
    switch (wake) {
        case Wake::timeout: return "timeout";
        case Wake::news: return "news";
        case Wake::superseded: return "superseded";
        case Wake::draining: return "draining";
    }
    return "";
}

// GET /park?<key> is held until its key is woken, and says why it was.
class ParkedRequestTest : public HttpTest {
 protected:
    ParkedRequestTest() {
        const auto hold_request = [this](
                                      const RequestHead& head, std::string, const Plan::DoneFn& done
                                  ) {
            done(api::HeldReply{lot.park(head.query), hold, [](Wake wake) {
                                    return FakeApplication::text_reply(200, wake_name(wake));
                                }});
        };
        application.on("/park", hold_request);
        application.on("/park-from-pool", [this, hold_request](
                                              const RequestHead& head, std::string,
                                              const Plan::DoneFn& done
                                          ) {
            application.pool.submit([=] { hold_request(head, "", done); });
        });
    }

    Client park(const std::string& key) {
        const auto parked = server->counters().parked;
        auto client = connect();
        client.get("/park?" + key);
        EXPECT_TRUE(eventually([&] { return server->counters().parked == parked + 1; }));
        return client;
    }

    bool nobody_is_parked() {
        return eventually([&] { return server->counters().parked == 0 && lot.size() == 0; });
    }

    api::ParkingLot lot;
    std::chrono::milliseconds hold = 600s;

    ~ParkedRequestTest() override { server.reset(); }  // before the lot
};

TEST_F(ParkedRequestTest, is_answered_when_woken_and_keeps_its_connection) {
    start();
    auto client = park("agent-1");
    EXPECT_TRUE(client.is_quiet());
    EXPECT_FALSE(lot.wake("agent-2", Wake::news));
    EXPECT_TRUE(lot.wake("agent-1", Wake::news));
    EXPECT_EQ(client.read().body, "news");
    EXPECT_EQ(client.ask("/").body, "hello");
    client.get("/park?agent-1");
    ASSERT_TRUE(eventually([&] { return lot.wake("agent-1", Wake::news); }));
    EXPECT_EQ(client.read().body, "news");
    EXPECT_TRUE(nobody_is_parked());
}

TEST_F(ParkedRequestTest, may_be_parked_by_the_pool) {
    start();
    auto client = connect();
    client.get("/park-from-pool?agent-1");
    ASSERT_TRUE(eventually([&] { return lot.wake("agent-1", Wake::news); }));
    EXPECT_EQ(client.read().body, "news");
}

TEST_F(ParkedRequestTest, is_answered_by_a_second_one_under_its_key) {
    start();
    auto first = park("agent-1");
    auto second = connect();
    second.get("/park?agent-1");
    EXPECT_EQ(first.read().body, "superseded");
    EXPECT_TRUE(lot.wake("agent-1", Wake::news));
    EXPECT_EQ(second.read().body, "news");
}

TEST_F(ParkedRequestTest, that_was_woken_before_it_parked_does_not_wait) {
    application.on("/woken", [this](const RequestHead&, std::string, const Plan::DoneFn& done) {
        auto ticket = lot.park("agent-1");
        ticket->wake(Wake::news);
        done(api::HeldReply{std::move(ticket), hold, [](Wake wake) {
                                return FakeApplication::text_reply(200, wake_name(wake));
                            }});
    });
    start();
    auto client = connect();
    EXPECT_EQ(client.ask("/woken").body, "news");
}

TEST_F(ParkedRequestTest, keeps_neither_headers_nor_a_share_of_the_bodies) {
    start();
    auto client = connect();
    client.send("POST /park?agent-1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    ASSERT_TRUE(eventually([&] { return server->counters().parked == 1; }));
    EXPECT_EQ(server->counters().body_bytes, 0u);
    EXPECT_TRUE(lot.wake("agent-1", Wake::news));
    EXPECT_EQ(client.read().body, "news");
    ASSERT_TRUE(eventually([&] { return application.finished_statuses().size() == 1; }));
    EXPECT_EQ(application.headers_of_last(), 0u);
}

TEST_F(ParkedRequestTest, is_answered_when_the_hold_is_over) {
    hold = 50ms;
    start();
    auto client = connect();
    EXPECT_EQ(client.ask("/park?agent-1").body, "timeout");
    EXPECT_EQ(client.ask("/park?agent-1").body, "timeout");
}

TEST_F(ParkedRequestTest, is_not_ended_by_other_timeouts) {
    options.limits.header_timeout = options.limits.body_timeout = options.limits.idle_timeout =
        options.limits.write_timeout = 20ms;
    hold = 200ms;
    start();
    auto client = connect();
    EXPECT_EQ(client.ask("/park?agent-1").body, "timeout");
}

TEST_F(ParkedRequestTest, is_forgotten_when_its_peer_leaves) {
    start();
    {
        auto ended = park("agent-1");
        ended.end_sending();
        EXPECT_TRUE(ended.is_closed());
    }
    EXPECT_TRUE(nobody_is_parked());
    auto reset = park("agent-2");
    reset.reset();
    EXPECT_TRUE(nobody_is_parked());
    EXPECT_TRUE(eventually([&] { return server->counters().open == 0; }));
    EXPECT_EQ(application.finished_statuses(), (std::vector{499, 499}));
}

TEST_F(ParkedRequestTest, keeps_what_is_pipelined_behind_it) {
    start();
    auto client = park("agent-1");
    client.get("/");
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    EXPECT_EQ(server->counters().parked, 1u);
    EXPECT_TRUE(lot.wake("agent-1", Wake::news));
    EXPECT_EQ(client.read().body, "news");
    EXPECT_EQ(client.read().body, "hello");
    client.send("dy");
    EXPECT_EQ(client.read().body, "body");
}

std::chrono::microseconds processor_time() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return std::chrono::seconds{usage.ru_utime.tv_sec + usage.ru_stime.tv_sec} +
           std::chrono::microseconds{usage.ru_utime.tv_usec + usage.ru_stime.tv_usec};
}

TEST_F(ParkedRequestTest, does_not_spin_on_more_pipelined_bytes_than_it_keeps) {
    options.limits.header_bytes_max = 1024;
    hold = 500ms;
    start();
    auto client = park("agent-1");
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(many);
    const auto before = processor_time();
    EXPECT_EQ(client.read().body, "timeout");
    EXPECT_LT(processor_time() - before, 250ms);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.read().body, "hello");
}

TEST_F(ParkedRequestTest, notices_a_reset_behind_bytes_it_does_not_keep) {
    options.limits.header_bytes_max = 1024;
    start();
    auto client = park("agent-1");
    client.send(std::string(8 * 1024, 'x'));
    client.reset();
    EXPECT_TRUE(nobody_is_parked());
}

TEST_F(ParkedRequestTest, is_answered_when_the_server_drains) {
    start();
    auto parked = park("agent-1");
    auto stopped = std::async(std::launch::async, [&] { server->stop(); });
    const auto response = parked.read();
    EXPECT_EQ(response.body, "draining");
    EXPECT_EQ(response.headers.at("Connection"), "close");
    EXPECT_TRUE(parked.is_closed());
    EXPECT_EQ(stopped.wait_for(kPatience), std::future_status::ready);
    EXPECT_EQ(server->counters().parked, 0u);
}

TEST_F(ParkedRequestTest, does_not_park_once_the_server_drains) {
    std::promise<Plan::DoneFn> running;
    application.on("/slow", [&](const RequestHead&, std::string, Plan::DoneFn done) {
        running.set_value(std::move(done));
    });
    start();
    auto client = connect();
    client.get("/slow");
    const Plan::DoneFn done = running.get_future().get();
    auto idle = connect();
    EXPECT_EQ(idle.ask("/").status, 200);
    auto stopped = std::async(std::launch::async, [&] { server->stop(); });
    EXPECT_TRUE(idle.is_closed());  // so it drains
    done(api::HeldReply{lot.park("agent-1"), hold, [](Wake wake) {
                            return FakeApplication::text_reply(200, wake_name(wake));
                        }});
    EXPECT_EQ(client.read().body, "draining");
    EXPECT_EQ(stopped.wait_for(kPatience), std::future_status::ready);
}

TEST_F(ParkedRequestTest, is_dropped_when_the_server_is_destroyed) {
    start();
    auto first = park("agent-1");
    auto second = park("agent-2");
    server.reset();
    EXPECT_TRUE(first.is_closed());
    EXPECT_TRUE(second.is_closed());
    EXPECT_EQ(lot.size(), 0u);
}

TEST_F(ParkedRequestTest, wakes_race_departures_without_harm) {
    options.io_threads = 2;
    start();
    std::atomic<bool> is_over{false};
    std::thread waker{[&] {
        while (!is_over) lot.wake_all(Wake::news);
    }};
    for (int round = 0; round < 200; ++round) {
        auto leaves = connect();
        leaves.get("/park?leaves");
        auto stays = connect();
        stays.get("/park?stays");
        if (round % 2 == 0) leaves.reset();
        EXPECT_EQ(stays.read().body, "news");
    }
    is_over = true;
    waker.join();
}

}  // namespace
}  // namespace synapsex::http::testing

#include "controlplane/platform/http/worker_pool.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <future>
#include <latch>
#include <stdexcept>

namespace synapsex::http {
namespace {

TEST(WorkerPool, runs_as_many_at_once_as_it_has_threads) {
    WorkerPool pool{{.threads = 4}};
    std::latch all_run{4};
    std::latch done{4};
    for (int i = 0; i < 4; ++i)
        EXPECT_TRUE(pool.submit([&] {
            all_run.arrive_and_wait();
            done.count_down();
        }));
    done.wait();
}

TEST(WorkerPool, refuses_what_does_not_fit_into_its_queue) {
    std::promise<void> release;
    std::promise<void> is_running;
    std::atomic<int> ran{0};
    {
        WorkerPool pool{{.threads = 1, .queue_max = 2}};
        EXPECT_TRUE(pool.submit([&] {
            is_running.set_value();
            release.get_future().wait();
        }));
        is_running.get_future().wait();
        EXPECT_TRUE(pool.submit([&] { ++ran; }));
        EXPECT_TRUE(pool.submit([&] { ++ran; }));
        EXPECT_FALSE(pool.submit([&] { ++ran; }));
        EXPECT_EQ(pool.queued(), 2u);
        release.set_value();
    }
    EXPECT_EQ(ran, 2);
}

TEST(WorkerPool, has_room_for_what_was_admitted_and_runs_it_first) {
    std::promise<void> release;
    std::promise<void> is_running;
    std::string order;
    WorkerPool pool{{.threads = 1, .queue_max = 1}};
    EXPECT_TRUE(pool.submit([&] {
        is_running.set_value();
        release.get_future().wait();
    }));
    is_running.get_future().wait();
    EXPECT_TRUE(pool.submit([&] { order += 'n'; }));
    EXPECT_FALSE(pool.submit([] {}));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.submit_admitted([&] { order += 'a'; }));
    EXPECT_EQ(pool.queued(), 4u);
    release.set_value();
    pool.stop();
    EXPECT_EQ(order, "aaan");
    EXPECT_FALSE(pool.submit_admitted([] {}));
}

TEST(WorkerPool, finishes_what_is_queued_before_it_ends) {
    std::atomic<int> ran{0};
    WorkerPool pool{{.threads = 2, .queue_max = 1000}};
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(pool.submit([&] { ++ran; }));
    pool.stop();
    EXPECT_EQ(ran, 1000);
    EXPECT_FALSE(pool.submit([&] { ++ran; }));
    pool.stop();
}

TEST(WorkerPool, survives_work_that_throws) {
    std::promise<void> done;
    WorkerPool pool{{.threads = 1}};
    pool.submit([] { throw std::runtime_error{"a handler's bug"}; });
    pool.submit([&] { done.set_value(); });
    done.get_future().wait();
}

TEST(WorkerPool, gives_its_threads_small_stacks) {
    std::promise<std::size_t> measured;
    WorkerPool pool{{.threads = 1, .stack_bytes = 256 * 1024}};
    pool.submit([&] {
        pthread_attr_t attributes;
        std::size_t bytes = 0;
        pthread_getattr_np(pthread_self(), &attributes);
        pthread_attr_getstacksize(&attributes, &bytes);
        pthread_attr_destroy(&attributes);
        measured.set_value(bytes);
    });
    const auto bytes = measured.get_future().get();
    EXPECT_GE(bytes, 256u * 1024);
    EXPECT_LE(bytes, 1024u * 1024);
}

}  // namespace
}  // namespace synapsex::http

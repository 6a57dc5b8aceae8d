#pragma once

// A write between its caller, who waits, and the writer, who runs it.

#include <semaphore.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>

#include "controlplane/platform/db/outcome.hpp"
#include "shared/base/time.hpp"

namespace synapsex::db {

// One post, one wait. A POSIX semaphore: std::binary_semaphore of libstdc++ 12 can lose a wake-up
// (GCC bug 104928), and a condition variable makes every sleeper take a mutex when it wakes.
class Signal {
 public:
    Signal() { ::sem_init(&semaphore_, 0, 0); }
    ~Signal() { ::sem_destroy(&semaphore_); }
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

    void post() { ::sem_post(&semaphore_); }
    void wait();
    // False if `limit` passed first.
    bool wait_for(std::chrono::nanoseconds limit);

 private:
    sem_t semaphore_;
};

// Shared by both sides: a caller that gives up leaves the queue's share behind, and the writer
// drops it without touching the body, which is gone by then.
class PendingWrite {
 public:
    PendingWrite(const Body& body, Deadline until, SteadyTime now)
        : deadline(until), queued_at(now), body_(&body) {}

    // The writer's side. claim() comes first: false means that the caller has left.
    bool claim() { return leave_queue(State::claimed); }
    bool run(Session& session) const { return (*body_)(session); }
    // Wakes the caller with what stands in `outcome`, and by it those named to wakes().
    void answer() {
        state_.store(State::answered);
        answered_.post();
    }
    // The caller of `other`, whose outcome stands too, is woken by the caller of this, at most two.
    // It is there until then: a write that was claimed is not left.
    void wakes(PendingWrite& other) { wakes_next_[wakes_count_++] = &other; }

    // The caller's side. True: answered. False: the deadline passed before the writer came to it.
    bool wait(const Clock& clock);

    const Deadline deadline;
    const SteadyTime queued_at;
    Outcome outcome;  // the writer's until answer(), then the caller's

 private:
    enum class State { queued, claimed, abandoned, answered };
    bool leave_queue(State next) {
        auto expected = State::queued;
        return state_.compare_exchange_strong(expected, next);
    }

    const Body* body_;
    std::atomic<State> state_{State::queued};
    Signal answered_;
    std::array<PendingWrite*, 2> wakes_next_{};
    std::size_t wakes_count_ = 0;
};

using WritePtr = std::shared_ptr<PendingWrite>;

}  // namespace synapsex::db

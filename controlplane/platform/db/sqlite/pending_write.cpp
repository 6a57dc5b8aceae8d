#include "controlplane/platform/db/sqlite/pending_write.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace synapsex::db {

void Signal::wait() {
    while (::sem_wait(&semaphore_) != 0 && errno == EINTR) {
    }
}

bool Signal::wait_for(std::chrono::nanoseconds limit) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    timespec until{};
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    const auto nanoseconds = until.tv_nsec + limit.count() % kSecond;
    until.tv_sec += limit.count() / kSecond + nanoseconds / kSecond;
    until.tv_nsec = nanoseconds % kSecond;
    while (::sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &until) != 0) {
        if (errno != EINTR) return false;
    }
    return true;
}

bool PendingWrite::wait(const Clock& clock) {
    // The injected clock decides; the kernel only says when to ask it again.
    constexpr std::chrono::nanoseconds kAskAgain = std::chrono::hours{1};
    while (!answered_.wait_for(std::min(deadline.remaining(clock), kAskAgain))) {
        if (!deadline.is_expired(clock)) continue;
        if (leave_queue(State::abandoned)) return false;
        // It is running, and its body is ours: stay until the writer is done with it.
        answered_.wait();
        break;
    }
    // Orders the writer's work before what follows. The semaphore does too, but ThreadSanitizer
    // does not know sem_clockwait.
    static_cast<void>(state_.load());
    for (std::size_t i = 0; i < wakes_count_; ++i) wakes_next_[i]->answer();
    return true;
}

}  // namespace synapsex::db

#include "agent/worker/worker.hpp"

#include <csignal>
#include <future>
#include <thread>

#include <pthread.h>
#include <unistd.h>

#include "agent/pause/pause.hpp"
#include "agent/worker/enroller.hpp"
#include "agent/worker/files.hpp"
#include "agent/worker/resident_set.hpp"
#include "agent/worker/sampler.hpp"
#include "agent/worker/talker.hpp"
#include "agent/worker/token_watch.hpp"
#include "shared/base/log.hpp"
#include "shared/base/time.hpp"

namespace synapsex::agent {

namespace {

// A goodbye takes 2 s at the most; systemd and the supervisor count on 3.
constexpr std::chrono::milliseconds kStopTime{2'800};
constexpr std::chrono::seconds kLockTime{5};
constexpr std::chrono::milliseconds kLockPause{100};

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);  // from our own threads: one has ended
    return set;
}

// Whether somebody wants this process to stop within that time.
bool is_stopped_within(std::chrono::milliseconds time) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    const timespec limit{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds{time}.count()};
    return ::sigtimedwait(&set, nullptr, &limit) > 0;
}

// Waits for a while for an agent that is about to end: one whose supervisor was killed says goodbye
// first. nullopt if this one is stopped meanwhile.
Result<std::optional<FileLock>> take_lock(const std::filesystem::path& path, const Clock& clock) {
    const auto deadline = Deadline::after(clock, kLockTime);
    while (true) {
        auto lock = FileLock::take(path);
        if (lock) return std::optional{*std::move(lock)};
        if (lock.error().code != kAlreadyRunning || deadline.is_expired(clock))
            return lock.error();
        if (is_stopped_within(kLockPause)) return std::optional<FileLock>{};
    }
}

// Runs `body` on a thread of its own and wakes the waiting thread when it ends. An exception is
// kept for the join.
class Task {
 public:
    template <class Body>
    Task(pthread_t waiter, Body body) {
        std::packaged_task<void()> task{std::move(body)};
        end_ = task.get_future();
        thread_ = std::jthread{[waiter, task = std::move(task)]() mutable {
            task();
            pthread_kill(waiter, SIGUSR1);
        }};
    }
    bool has_ended_by(std::chrono::steady_clock::time_point instant) const {
        return end_.wait_until(instant) == std::future_status::ready;
    }
    bool has_ended() const { return has_ended_by({}); }
    void get() { end_.get(); }

 private:
    std::future<void> end_;
    std::jthread thread_;
};

class Worker {
 public:
    Worker(const WorkerSettings& settings, const WorkerParts& parts)
        : settings_(settings),
          parts_(parts),
          store_(settings.data_dir),
          key_files_(settings.data_dir),
          token_watch_(settings.token_file, settings.offered_token_file) {}

    Result<Done> run() {
        SYNAPSEX_TRY(auto identity, store_.find_identity());
        std::optional<Problem> refusal;
        Task talking{pthread_self(), [&] { refusal = enroll_and_talk(std::move(identity)); }};
        wait_for_signal(talking);
        stop_threads();
        end_process_unless(talking);
        talking.get();
        if (refusal && !was_signaled_) return *std::move(refusal);
        return Done{};
    }

 private:
    // nullopt after a stop.
    std::optional<Problem> enroll_and_talk(std::optional<Identity> identity) {
        if (identity) {
            auto known = enroll_again(*identity);
            if (!known) return known.error();
            if (*known) identity = **std::move(known);
        } else {
            Enroller enroller{parts_.http, parts_.random, stop_};
            auto enrolled = enroller.enroll(enrollment_wish(settings_.url), store_);
            if (!enrolled) return enrolled.error();
            identity = *std::move(enrolled);
        }
        return talk(*std::move(identity));
    }

    std::string url_of(const Identity& identity) const {
        return settings_.url.empty() ? identity.url : settings_.url;
    }

    // The identity that takes this one's place, if there is a token for it and the control plane
    // has forgotten this one.
    Result<std::optional<Identity>> enroll_again(Identity identity) {
        Enroller enroller{parts_.http, parts_.random, stop_};
        identity.url = url_of(identity);
        auto wish = enrollment_wish(identity.url);
        wish.former_trust_root = identity.trust_root;
        pin_authorities(identity);
        SYNAPSEX_TRY(const auto known, key_files_.load());
        const auto again = enroller.is_to_enroll_again(wish, identity, known, parts_.clock);
        if (again == Enroller::Again::no) return std::optional<Identity>{};
        SYNAPSEX_TRY(auto enrolled, enroll(enroller, wish, again));
        return std::optional{std::move(enrolled)};
    }

    // The same where the agent runs: what it is to be from now on.
    Result<Identity> take_token(const Identity& identity) {
        if (token_watch_.look() == TokenWatch::Found::at_next_start)
            return Problem{
                .kind = Kind::unavailable,
                .code = "agent.token_offered",
                .detail = "The control plane has forgotten this agent, and there is a token in " +
                          settings_.offered_token_file.string() +
                          ". The agent starts again, so that it is given that.",
            };
        auto another = enroll_again(identity);
        if (another) return another->value_or(identity);
        if (another.error().code != "agent.not_enrolled") return another.error();
        if (!stop_.is_requested())
            log_error(another.error().detail, {{"code", another.error().code}});
        token_watch_.refuse();
        pin_authorities(identity);
        return identity;
    }

    // A key that was replaced may be somebody else's by now. The one that is made in its place is
    // the same if this is killed and done again.
    Result<Identity> enroll(
        Enroller& enroller, const EnrollmentWish& wish, Enroller::Again again
    ) {
        if (again != Enroller::Again::with_another_key) return enroller.enroll(wish, store_);
        SYNAPSEX_TRY(const auto key, key_files_.load_or_make_next(parts_.random));
        SYNAPSEX_TRY(auto identity, enroller.enroll(wish, store_, key));
        SYNAPSEX_CHECK(key_files_.settle(KeySlot::next));
        return identity;
    }

    Result<TalkerFacts> facts_of(Identity identity) {
        SYNAPSEX_TRY(auto keys, key_files_.load());
        stored_ = identity;
        pin_authorities(identity);
        identity.url = url_of(identity);
        return TalkerFacts{
            .identity = std::move(identity),
            .keys = std::move(keys),
            .boot_id = settings_.boot_id,
            .agent_version = settings_.agent_version,
            .state_path = settings_.run_dir / kStateFile,
        };
    }

    std::optional<Problem> talk(Identity identity) {
        auto facts = facts_of(identity);
        if (!facts) return facts.error();
        SpoolFile spool_file{settings_.data_dir / "spool.db", settings_.spool};
        Spool spool{spool_file, Spool::first_sequence(parts_.clock.now())};
        Sampler sampler{parts_.telemetry, spool, parts_.clock, stop_};
        const std::jthread sampling{[&] { sampler.run(); }};
        // The sampler ends with the talker, also when an exception ends that one.
        const StopOnExit stop_on_exit{stop_};
        const auto parts = talker_parts(spool);
        log_info("agent started", {{"agentId", identity.agent_id.text()},
                                   {"version", settings_.agent_version}});
        while (Talker{parts, *facts}.run() == Talker::End::token_found) {
            auto taken = take_token(stored_);
            if (!taken) return taken.error();
            facts = facts_of(*std::move(taken));
            if (!facts) return facts.error();
        }
        return std::nullopt;
    }

    TalkerParts talker_parts(Spool& spool) {
        return {
            .http = parts_.http,
            .spool = spool,
            .key_files = key_files_,
            .inventory = parts_.inventory,
            .executor = parts_.executor,
            .time_floor = parts_.time_floor,
            .certificate_clock = parts_.certificate_clock,
            .clock = parts_.clock,
            .random = parts_.random,
            .stop = stop_,
            .on_first_answer = shrink_resident_set,
            .is_token_there = [this] { return token_watch_.look() != TokenWatch::Found::nothing; },
            .pause = [this] { return pause_now(); },
            .on_pins = [this](const std::vector<std::string>& pins) { store_pins(pins); },
        };
    }

    void pin_authorities(const Identity& identity) {
        auto pins = pins_of(identity, settings_.authority_pin);
        if (!pins.empty()) parts_.http.pin_authorities(std::move(pins));
    }

    // One that cannot be read counts as one: see may_work_start().
    std::optional<PauseNotice> pause_now() const {
        const auto pause = find_pause(settings_.data_dir, this_moment(parts_.clock));
        if (!pause) return PauseNotice{.reason = "whether it is paused cannot be read"};
        if (!*pause) return std::nullopt;
        return PauseNotice{(*pause)->since.now, (*pause)->until(), (*pause)->reason};
    }

    // After an answer of who is pinned. "none" is no pin: what was pinned waits for its end.
    void store_pins(const std::vector<std::string>& pins) {
        if (settings_.authority_pin && settings_.authority_pin->empty()) return;
        stored_.authority_pins = pins;
        stored_.authority_pin_setting = settings_.authority_pin.value_or("");
        const auto saved = store_.save_identity(stored_);
        std::string list;
        for (const auto& pin : pins) list += (list.empty() ? "" : ", ") + pin;
        if (saved)
            log_info("the control plane's authorities that are pinned", {{"pins", list}});
        else
            log_warning(
                "the pin of the control plane's next authority is not stored; it will be again",
                {{"detail", saved.error().detail}}
            );
    }

    EnrollmentWish enrollment_wish(const std::string& url) const {
        return {
            .url = url,
            .token_file = settings_.token_file,
            .name = settings_.name,
            .boot_id = settings_.boot_id,
            .agent_version = settings_.agent_version,
            .authority_pin = settings_.authority_pin,
            .trust_root = settings_.trust_root,
        };
    }

    void wait_for_signal(const Task& talking) {
        const auto signals = stop_signals();
        bool is_over = false;
        while (!is_over) {
            int signal = 0;
            if (sigwait(&signals, &signal) != 0) continue;
            was_signaled_ = signal != SIGUSR1;
            // A SIGUSR1 from outside says nothing.
            is_over = was_signaled_ || talking.has_ended();
        }
    }

    // In this order: whoever sees the stop may call resume() for a goodbye, and no cancel comes
    // after that.
    void stop_threads() {
        parts_.http.cancel();
        stop_.request();
    }

    static void end_process_unless(const Task& talking) {
        if (talking.has_ended_by(SystemClock{}.steady_now() + kStopTime)) return;
        log_warning("the worker did not stop in time; the process ends");
        ::_exit(0);
    }

    struct StopOnExit {
        StopSignal& stop;
        ~StopOnExit() { stop.request(); }
    };

    const WorkerSettings& settings_;
    const WorkerParts& parts_;
    IdentityStore store_;
    AgentKeyFiles key_files_;
    TokenWatch token_watch_;
    Identity stored_;  // as it is on disk
    StopSignal stop_;
    bool was_signaled_ = false;
};

}  // namespace

void block_stop_signals() {
    const auto signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    // A peer that goes away while we write is an error code, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
}

Result<Done> run_worker(const WorkerSettings& settings, const WorkerParts& parts) {
    SYNAPSEX_CHECK(make_private_directory(settings.data_dir));
    SYNAPSEX_TRY(const auto lock, take_lock(settings.data_dir / kLockFile, parts.clock));
    if (!lock) return Done{};
    SYNAPSEX_CHECK(make_private_directory(settings.run_dir));
    // Left by the worker before: it says nothing about now.
    std::error_code ignored;
    std::filesystem::remove(settings.run_dir / kStateFile, ignored);
    const auto pid_path = settings.run_dir / kWorkerPidFile;
    const auto pid_text = std::to_string(::getpid()) + "\n";
    if (!write_file_atomically(pid_path, pid_text, FileDurability::cached))
        log_warning("the executor will not find the worker", {{"path", pid_path.string()}});
    return Worker{settings, parts}.run();
}

}  // namespace synapsex::agent

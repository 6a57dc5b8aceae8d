#include "controlplane/platform/wakeups/wakeup_probe.hpp"

namespace synapsex::wakeups {

namespace {

constexpr Topic kProbe{"wakeups.probe"};
constexpr db::SystemScope kLook{"wakeups.probe"};

}  // namespace

void WakeupProbe::hear(std::string_view hint) {
    const std::lock_guard lock{mutex_};
    if (awaited_.empty() || !hint.starts_with(kProbe.name) || !hint.ends_with(awaited_)) return;
    is_heard_ = true;
    came_back_.notify_all();
}

Result<Done> WakeupProbe::look(const Call& call) {
    const auto said = make_ulid(parts_.clock.now(), parts_.random);
    {
        const std::lock_guard lock{mutex_};
        awaited_ = said;
        is_heard_ = false;
    }
    SYNAPSEX_CHECK(parts_.database.write(kLook, call, [&](db::Session& session) -> Result<Done> {
        tell(session, kProbe, said);
        return Done{};
    }));
    std::unique_lock lock{mutex_};
    const auto is_over = [&] { return is_heard_ || is_given_up_; };
    if (came_back_.wait_for(lock, parts_.patience, is_over)) return Done{};
    return Problem{
        Kind::unavailable, "wakeups.silent",
        "What replicas tell each other does not arrive. Behind a pooler, DATABASE_LISTEN_URL has "
        "to name the server itself."
    };
}

void WakeupProbe::give_up() {
    const std::lock_guard lock{mutex_};
    is_given_up_ = true;
    came_back_.notify_all();
}

}  // namespace synapsex::wakeups

#include "controlplane/platform/wakeups/hearing.hpp"

namespace synapsex::wakeups {

namespace {

constexpr std::chrono::seconds kBudget{20};

Problem not_connected() {
    return {
        Kind::unavailable, "wakeups.not_connected",
        "There is no connection to hear what replicas tell each other; the log says why."
    };
}

}  // namespace

Hearing::Hearing(const TaskInfo& probe, const Parts& parts, const std::string& listen_url)
    : probe_({parts.database, parts.clock, parts.random}),
      task_(probe, parts.tasks, [this, name = std::string{probe.name}, &clock = parts.clock]()
                -> Result<TaskRun> {
          const auto call = Call::system(name, Deadline::after(clock, kBudget));
          if (!notifications_.is_listening()) return not_connected();
          SYNAPSEX_CHECK(probe_.look(call));
          return TaskRun::done;
      }),
      notifications_(
          {listen_url, std::string{kChannel}}, parts.random,
          {[this, &board = parts.board](std::string_view hint) {
               probe_.hear(hint);
               board.deliver(hint);
           },
           [this] { task_.hurry(); }}
      ) {}

}  // namespace synapsex::wakeups

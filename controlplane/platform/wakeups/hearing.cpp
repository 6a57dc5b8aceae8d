#include "controlplane/platform/wakeups/hearing.hpp"

namespace synapsex::wakeups {

namespace {

constexpr std::chrono::seconds kBudget{20};

}  // namespace

Hearing::Hearing(const TaskInfo& probe, const Parts& parts, const std::string& listen_url)
    : probe_({parts.database, parts.board, parts.clock, parts.random}),
      task_(probe, parts.tasks, [this, name = std::string{probe.name}, &clock = parts.clock]()
                -> Result<TaskRun> {
          const auto call = Call::system(name, Deadline::after(clock, kBudget));
          SYNAPSEX_CHECK(probe_.look(call));
          return TaskRun::done;
      }),
      notifications_(
          {listen_url, std::string{kChannel}}, parts.random,
          {[&board = parts.board](std::string_view hint) { board.deliver(hint); },
           [this] { task_.hurry(); }}
      ) {}

}  // namespace synapsex::wakeups

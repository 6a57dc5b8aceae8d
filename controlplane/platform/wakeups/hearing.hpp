#pragma once

// What a replica has to hear the others: the connection that listens, and the task that finds out
// whether it does.

#include <string>

#include "controlplane/platform/db/postgres/notifications.hpp"
#include "controlplane/platform/tasks/periodic_task.hpp"
#include "controlplane/platform/wakeups/wakeup_probe.hpp"

namespace synapsex::wakeups {

class Hearing {
 public:
    struct Parts {  // all outlive it
        db::Database& database;
        Board& board;
        TaskBook& tasks;
        const Clock& clock;
        Random& random;
    };
    // `listen_url` names the server of the database itself, never a pooler.
    Hearing(const TaskInfo& probe, const Parts& parts, const std::string& listen_url);
    ~Hearing() { probe_.give_up(); }

 private:
    WakeupProbe probe_;
    PeriodicTask task_;                        // runs only when notifications_ hurries it, or later
    db::PostgresNotifications notifications_;  // ends first: it hurries the task
};

}  // namespace synapsex::wakeups

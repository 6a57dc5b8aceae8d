#pragma once

// The verbs that the executor carries out. Each is typed and fixed: nothing here takes a command, a
// path or a process id from the caller.

#include "agent/executor/protocol.hpp"
#include "agent/executor/worker_process.hpp"
#include "shared/base/time.hpp"

namespace synapsex::executor {

class Verbs {
 public:
    Verbs(WorkerRules worker, const Clock& clock);

    Answer carry_out(Verb verb);

 private:
    Answer status() const;
    Answer restart_worker();

    const WorkerRules worker_;
    const Timestamp started_at_;
    std::uint32_t worker_restarts_ = 0;
};

}  // namespace synapsex::executor

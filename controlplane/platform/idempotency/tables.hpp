#pragma once

// The table of migrations/, in every database.

#include <array>

#include "controlplane/platform/db/table.hpp"
#include "controlplane/platform/idempotency/stored_answers.hpp"

namespace synapsex::idempotency {

inline constexpr std::array kTables{
    db::Table{
        .name = "platform_stored_answers",
        .growth = db::Growth::growing,
        .kept_for = kAnswersKeptFor,
        .kept = "{time} from the answer",
        .pruner = "platform.prune",
    },
};

}  // namespace synapsex::idempotency

#pragma once

// The tables of migrations/, in every database.

#include <array>

#include "controlplane/platform/db/table.hpp"

namespace synapsex::leases {

inline constexpr std::array kTables{
    db::Table{
        .name = "platform_leases",
        .growth = db::Growth::bounded,
        .kept = "one for each role",
    },
    db::Table{
        .name = "platform_work_items",
        .growth = db::Growth::bounded,
        .kept = "until the work is finished",
    },
};

}  // namespace synapsex::leases

#pragma once

// The table of migrations/, in every database.

#include <array>

#include "controlplane/platform/certificates/certificate_watch.hpp"
#include "controlplane/platform/db/table.hpp"

namespace synapsex::certificates {

inline constexpr std::array kTables{
    db::Table{
        .name = "platform_certificate_notices",
        .growth = db::Growth::bounded,  // each notice removes the old ones
        .kept_for = kNoticesKeptFor,
        .kept = "four for each certificate, {time}",
    },
};

}  // namespace synapsex::certificates

#pragma once

// The tables of migrations/, in every database.

#include <array>

#include "controlplane/platform/db/table.hpp"
#include "controlplane/platform/outbox/inbox.hpp"
#include "controlplane/platform/outbox/relay.hpp"

namespace synapsex::outbox {

inline constexpr std::array kTables{
    db::Table{
        .name = "platform_outbox",
        .growth = db::Growth::bounded,
        .kept = "what releases before the next two tables leave, until it is moved there",
    },
    db::Table{
        .name = "platform_outbox_posted",
        .growth = db::Growth::growing,
        .kept = "until numbered",
        .pruner = "platform.relay_outbox",
    },
    db::Table{
        .name = "platform_outbox_numbered",
        .growth = db::Growth::growing,
        .rows_max = RelayLimits{}.kept_max,
        .kept = "until consumed; {rows} messages of what nobody consumes, as many rows at most",
        .pruner = "platform.relay_outbox",
    },
    db::Table{
        .name = "platform_outbox_head",
        .growth = db::Growth::bounded,
        .kept = "one row",
    },
    db::Table{
        .name = "platform_outbox_cursors",
        .growth = db::Growth::bounded,
        .kept = "one for each consumer",
    },
    db::Table{
        .name = "platform_inbox",
        .growth = db::Growth::growing,
        .kept_for = kInboxKeptFor,
        .kept = "{time} from when its consumer had the message",
        .pruner = "platform.prune",
    },
};

}  // namespace synapsex::outbox

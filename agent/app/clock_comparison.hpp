#pragma once

// This machine's clock against a server's, as far as one answer can tell. Its date was written at
// some moment between the request and its end: the longer that took, the less it says.

#include "agent/app/connection_report.hpp"
#include "shared/base/time.hpp"

namespace synapsex::agent {

struct DatedAnswer {
    Timestamp asked_at{};     // by this machine's clock: nothing was written before
    Timestamp answered_at{};  // by this machine's clock
    Timestamp date{};         // by the server's, cut to whole seconds
};

// Failed where the clocks are more than a minute apart, whenever between the two the date was
// written.
ConnectionStep compare_clocks(const DatedAnswer& answer);

}  // namespace synapsex::agent

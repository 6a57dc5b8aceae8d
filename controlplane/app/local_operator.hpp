#pragma once

// Who runs a command on the server's own machine, as the outbox is to name them.

#include <string>

#include "controlplane/platform/auth/call.hpp"

namespace synapsex::app {

// `name` of the command stands where a request id would. Behind sudo (`sudo_uid` is what it says of
// who asked; empty: it did not run this) the process itself is nearly always root, or the control
// plane's user.
Call call_of_local_operator(std::string name, const std::string& sudo_uid, Deadline deadline);

}  // namespace synapsex::app

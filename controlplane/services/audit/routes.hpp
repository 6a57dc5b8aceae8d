#pragma once

#include "controlplane/platform/api/router.hpp"

namespace synapsex::audit {

class AuditLog;
void mount_routes(api::Router& router, AuditLog& log);

}  // namespace synapsex::audit

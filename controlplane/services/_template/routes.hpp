#pragma once

#include "controlplane/platform/api/router.hpp"

namespace synapsex::_template {

class Notes;
void mount_routes(api::Router& router, Notes& notes);

}  // namespace synapsex::_template

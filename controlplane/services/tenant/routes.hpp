#pragma once

namespace synapsex::api {
class Router;
}

namespace synapsex::tenant {

class TenantService;

void mount_routes(api::Router& router, TenantService& tenants);

}  // namespace synapsex::tenant

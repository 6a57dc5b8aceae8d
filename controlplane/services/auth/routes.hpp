#pragma once

namespace synapsex::api {
class Router;
}

namespace synapsex::auth {

class AccessTokens;
class AgentTokens;
class AuthService;

void mount_routes(
    api::Router& router,
    AuthService& service,
    AgentTokens& agent_tokens,
    const AccessTokens& access_tokens
);

}  // namespace synapsex::auth

#include "controlplane/services/auth/routes.hpp"

#include "controlplane/platform/api/router.hpp"
#include "controlplane/services/auth/access_tokens.hpp"
#include "controlplane/services/auth/agent_tokens.hpp"
#include "controlplane/services/auth/service.hpp"

namespace synapsex::auth {

void mount_routes(
    api::Router& router,
    AuthService& service,
    AgentTokens& agent_tokens,
    const AccessTokens& access_tokens
) {
    router.mount(kRegister, [&](const Call& call, const Register& wish) {
        return service.register_user(call, wish);
    });
    router.mount(kLogin, [&](const Call& call, const Login& login) {
        return service.login(call, login);
    });
    router.mount(kRefresh, [&](const Call& call, const Refresh& refresh) {
        return service.sessions().refresh(call, refresh);
    });
    router.mount(kListSessions, [&](const Call& call, const ListSessions& wish) {
        return service.sessions().list(call, wish);
    });
    router.mount(kEndSession, [&](const Call& call, const SessionPath& path) -> Result<api::None> {
        SYNAPSEX_CHECK(service.sessions().end(call, path.session_id));
        return api::None{};
    });
    router.mount(kLogout, [&](const Call& call, const api::None&) -> Result<api::None> {
        SYNAPSEX_CHECK(service.sessions().end_current(call));
        return api::None{};
    });
    router.mount(kLogoutEverywhere, [&](const Call& call, const LogoutEverywhere& wish) {
        return service.sessions().end_all(call, wish);
    });
    router.mount(kChangePassword, [&](const Call& call, const ChangePassword& wish) {
        return service.change_password(call, wish);
    });
    router.mount(kToken, [&](const Call& call, const TokenRequest& request) {
        return agent_tokens.exchange(call, request);
    });
    router.mount(kMe, [&](const Call& call, const api::None&) -> Result<Me> {
        return service.me(call);
    });
    router.mount(kListApiKeys, [&](const Call& call, const ListApiKeys& wish) {
        return service.list_keys(call, wish);
    });
    router.mount(kCreateApiKey, [&](const Call& call, const CreateApiKey& wish) {
        return service.create_key(call, wish);
    });
    router.mount(
        kRevokeApiKey, [&](const Call& call, const ApiKeyPath& path) -> Result<api::None> {
            SYNAPSEX_CHECK(service.revoke_key(call, path.key_id));
            return api::None{};
        }
    );
    router.mount(kJwks, [keys = access_tokens.jwks()](const Call&, const api::None&) {
        const api::WithHeaders<JwkSet> answer{keys, {{"Cache-Control", "public, max-age=300"}}};
        return Result<api::WithHeaders<JwkSet>>{answer};
    });
}

}  // namespace synapsex::auth

#include "controlplane/services/api_gateway/credential.hpp"

#include "controlplane/services/api_gateway/header_text.hpp"

namespace synapsex::api_gateway {

namespace {

constexpr std::size_t kSecretBytesMax = 4096;
constexpr std::size_t kTenantBytesMax = 64;

Problem malformed(std::string_view detail) {
    return {Kind::unauthenticated, "auth.credential_malformed", std::string{detail}};
}

}  // namespace

Result<Credential> find_credential(const http::RequestHead& head) {
    std::string_view authorization;
    std::string_view api_key;
    int count = 0;
    for (const auto& [name, value] : head.headers) {
        if (name == "authorization") {
            authorization = value;
            ++count;
        } else if (name == "x-api-key") {
            api_key = value;
            ++count;
        }
    }
    if (count == 0)
        return Problem{
            Kind::unauthenticated, "auth.credential_missing",
            "Pass Authorization: Bearer with an access token or API key, or X-API-Key."
        };
    if (count > 1) return malformed("Pass one credential, once.");
    std::string_view secret = api_key;
    if (secret.empty()) {
        const auto space = authorization.find(' ');
        if (space == authorization.npos ||
            !equals_ignoring_case(authorization.substr(0, space), "Bearer"))
            return malformed("Only the Bearer scheme is understood.");
        secret = authorization.substr(space + 1);
    }
    const auto tenant = head.header("x-tenant-id");
    if (secret.empty() || secret.size() > kSecretBytesMax || tenant.size() > kTenantBytesMax)
        return malformed("The credential is empty or too long.");
    return Credential{std::string{secret}, std::string{tenant}};
}

}  // namespace synapsex::api_gateway

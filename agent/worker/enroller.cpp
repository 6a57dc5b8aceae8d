#include "agent/worker/enroller.hpp"

#include "agent/worker/files.hpp"
#include "shared/base/log.hpp"
#include "shared/crypto/enrollment_token.hpp"

namespace synapsex::agent {

namespace {

Problem not_enrolled(std::string detail) {
    return {
        .kind = Kind::invalid, .code = "agent.not_enrolled", .detail = std::move(detail)
    };
}

// The root that the identity pins: the token's, if it may be that one. Who makes tokens may be who
// runs the server, and the root is there for the day when that one is not to be trusted.
Result<std::string> trust_root_after(const EnrollmentWish& wish, const std::string& of_token) {
    const auto pinned = wish.trust_root.value_or(wish.former_trust_root);
    if (of_token.empty()) return wish.former_trust_root;
    if (pinned.empty() || pinned == of_token) return of_token;
    return not_enrolled(
        "The enrollment token names another trust root (" + of_token + ") than this VM has " +
        "pinned (" + pinned + "). Ask whose it is. If it is to count here, put trust_root = \"" +
        of_token + "\" into agent.toml."
    );
}

}  // namespace

Result<std::string> read_enrollment_token(const std::filesystem::path& path) {
    constexpr std::size_t kTokenBytesMax = 4096;
    if (path.empty())
        return not_enrolled(
            "This agent is not enrolled yet. Give it the control plane's address and a file with "
            "an enrollment token (--url, --token-file, or url and token_file in agent.toml)."
        );
    SYNAPSEX_TRY(auto text, find_small_file(path, kTokenBytesMax));
    if (text) text->erase(text->find_last_not_of(" \t\r\n") + 1);
    if (!text || text->empty())
        return not_enrolled("There is no enrollment token in " + path.string() + ".");
    return *std::move(text);
}

Result<Identity> Enroller::enroll(
    const EnrollmentWish& wish, const IdentityStore& store,
    const std::optional<crypto::Ed25519Key>& given
) {
    SYNAPSEX_TRY(const auto token, read_enrollment_token(wish.token_file));
    if (wish.url.empty()) return not_enrolled("The address of the control plane (url) is missing.");
    auto key = given;
    if (!key) {
        SYNAPSEX_TRY(auto own, store.load_or_make_key(random_));
        key = std::move(own);
    }
    const auto parts = crypto::parse_enrollment_token(token);
    if (!parts)
        return not_enrolled(
            "What is in " + wish.token_file.string() +
            " is no whole enrollment token; copy it again."
        );
    SYNAPSEX_TRY(const auto trust_root, trust_root_after(wish, parts->trust_root));
    const auto pin = wish.authority_pin.value_or(parts->authority_pin);
    if (!pin.empty()) http_.pin_authorities({pin});
    ControlPlane control_plane{http_, wish.url};
    const EnrollmentRequest request{
        .token = parts->claim(),
        .name = wish.name,
        .public_key = key->public_key_base64url(),
        .boot_id = wish.boot_id,
        .agent_version = wish.agent_version,
    };
    SYNAPSEX_TRY(auto identity, ask(request, control_plane));
    if (!parts->authority_pin.empty()) identity.authority_pins = {parts->authority_pin};
    identity.trust_root = trust_root;
    SYNAPSEX_CHECK(store.save_identity(identity));
    if (const auto erased = erase_file(wish.token_file); !erased)
        log_warning("the enrollment token is used; delete its file",
                    {{"detail", erased.error().detail}});
    log_info("enrolled", {{"agentId", identity.agent_id.text()}, {"vmId", identity.vm_id.text()}});
    return identity;
}

Enroller::Again Enroller::is_to_enroll_again(
    const EnrollmentWish& wish, const Identity& identity, const AgentKeys& keys, const Clock& clock
) {
    if (!read_enrollment_token(wish.token_file)) return Again::no;
    const AssertionClaims claims{
        .agent_id = identity.agent_id.text(),
        .issuer = identity.issuer,
        .issued_at = clock.now(),
    };
    ControlPlane control_plane{http_, identity.url};
    std::vector<crypto::Ed25519Key> signers{keys.current};
    if (keys.next) signers.push_back(*keys.next);
    if (keys.former) signers.push_back(*keys.former);
    std::string code;
    for (const auto& key : signers) {
        const auto token = control_plane.fetch_token(sign_assertion(claims, key, random_));
        if (token) return Again::no;
        // An outage in between says nothing of this key.
        if (!is_forgotten(token.error()) && !is_another_key(token.error())) return Again::no;
        if (is_forgotten(token.error()) && code.empty()) code = token.error().code;
        if (!is_another_key(token.error())) break;
    }
    if (code.empty()) return Again::no;
    log_warning("the control plane does not know this agent any more; it enrolls again",
                {{"agentId", identity.agent_id.text()}, {"code", code}});
    return code == "auth.key_replaced" ? Again::with_another_key : Again::with_its_key;
}

Result<Identity> Enroller::ask(const EnrollmentRequest& request, ControlPlane& control_plane) {
    Enrollment enrollment{random_};
    while (true) {
        auto identity = control_plane.enroll(request);
        if (identity) return *std::move(identity);
        const auto& failure = identity.error();
        const auto verdict = enrollment.on_failed(failure);
        if (const auto* end = std::get_if<Enrollment::GiveUp>(&verdict))
            return not_enrolled(end->reason);
        const auto wait = std::get<Enrollment::Retry>(verdict).wait;
        log_warning("the enrollment will be tried again",
                    {{"code", failure.code},
                     {"status", failure.status},
                     {"detail", failure.detail},
                     {"waitMilliseconds", wait.count()}});
        if (stop_.wait_for(wait)) return not_enrolled("The agent was stopped.");
    }
}

}  // namespace synapsex::agent

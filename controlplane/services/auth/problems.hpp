#pragma once

// Every way in which auth-service refuses. The codes are part of the API. Details never say more
// than the caller has proved: an unknown e-mail and a wrong password read the same.

#include <string>

#include "shared/base/problem.hpp"
#include "shared/base/time.hpp"

namespace synapsex::auth {

// --- credentials of calls ---

inline Problem credential_invalid() {
    return {
        Kind::unauthenticated, "auth.credential_invalid",
        "The credential is no access token or API key of this server."
    };
}

inline Problem credential_expired() {
    return {
        Kind::unauthenticated, "auth.credential_expired",
        "The access token has expired. Get a new one with the refresh token."
    };
}

inline Problem credential_revoked() {
    return {
        Kind::unauthenticated, "auth.credential_revoked",
        "The credential has been revoked, or its session has ended."
    };
}

inline Problem tenant_not_found() {
    return {
        Kind::not_found, "tenants.not_found",
        "X-Tenant-Id names no tenant that this credential may act in."
    };
}

// --- signing in ---

inline Problem registration_closed() {
    return {
        Kind::forbidden, "auth.registration_closed",
        "This server takes no registrations. Ask an owner of your tenant for access."
    };
}

inline Problem already_initialized() {
    return {
        Kind::conflict, "auth.already_initialized", "There is a user already. Sign in instead."
    };
}

inline Problem email_invalid() {
    return {
        Kind::invalid, "auth.email_invalid", "The e-mail address is not one.",
        {{"/email", "malformed", "Use an address of the form name@example.com."}}
    };
}

inline Problem email_taken() {
    return {
        Kind::conflict, "auth.email_taken", "A user with this e-mail address exists. Sign in."
    };
}

inline Problem login_failed() {
    return {Kind::unauthenticated, "auth.login_failed", "The e-mail address or password is wrong."};
}

inline Problem no_tenant() {
    return {
        Kind::forbidden, "auth.no_tenant",
        "You belong to no tenant. Ask an owner of one to add you."
    };
}

inline Problem refresh_missing() {
    return {
        Kind::invalid, "request.invalid", "Pass the refresh token once.",
        {{"/refreshToken", "required", "is required, once: refreshToken or refresh_token"}}
    };
}

inline Problem refresh_invalid() {
    return {
        Kind::unauthenticated, "auth.refresh_invalid",
        "The refresh token is unknown or expired, or its session has ended. Sign in again."
    };
}

inline Problem refresh_reused() {
    return {
        Kind::unauthenticated, "auth.refresh_reused",
        "The refresh token was used before, so somebody may have a copy of it: its session has "
        "ended. Sign in again. If that happens again, look at GET /v1/auth/sessions and change the "
        "password."
    };
}

// No 401: a client that gets one forgets the tokens that it has, and they are good.
inline Problem refresh_superseded() {
    return {
        Kind::conflict, "auth.refresh_superseded",
        "The refresh token was used some seconds ago, and so was the one that it gave. Use the "
        "latest one of this session, which goes on."
    };
}

inline Problem too_many_attempts(std::chrono::seconds wait) {
    return {
        Kind::rate_limited, "auth.too_many_attempts",
        "Too many sign-ins have failed for this account or from this address. Wait " +
            std::to_string(wait.count()) +
            " s; until then the right password is refused, too. Who is signed in stays so, and API "
            "keys go on.",
        {}, wait
    };
}

// No 401: the credential of the call is good.
inline Problem password_wrong() {
    return {
        Kind::forbidden, "auth.password_wrong",
        "The current password is wrong. Nothing was changed.",
        {{"/currentPassword", "wrong", "Give the password that you sign in with today."}}
    };
}

inline Problem session_not_found() {
    return {
        Kind::not_found, "auth.session_not_found",
        "You have no such session; it may have ended already."
    };
}

inline Problem busy() {
    return {
        Kind::unavailable, "auth.busy", "Too many sign-ins at once. Try again in a moment.", {},
        std::chrono::seconds{1}
    };
}

// --- API keys ---

inline Problem key_not_found() {
    return {
        Kind::not_found, "auth.key_not_found", "You have no such API key in this tenant."
    };
}

inline Problem key_limit_reached(std::int64_t max) {
    return {
        Kind::conflict, "auth.key_limit_reached",
        "You have " + std::to_string(max) + " API keys in this tenant. Revoke one first."
    };
}

// --- assertions of agents ---

inline Problem unsupported_grant(const std::string& detail) {
    return {Kind::invalid, "auth.unsupported_grant", detail};
}

inline Problem assertion_malformed(const std::string& detail) {
    return {Kind::invalid, "auth.assertion_malformed", detail};
}

// With the server's time, which is what an agent mends its assertions with.
inline Problem assertion_out_of_time(std::string code, std::string detail, Timestamp now) {
    return {Kind::unauthenticated,
            std::move(code),
            std::move(detail),
            {},
            {},
            {{"X-Server-Time", format_rfc3339(now)}}};
}

inline Problem assertion_skewed(Timestamp now) {
    return assertion_out_of_time(
        "auth.assertion_skewed", "The assertion was made more than 60 s from the server's time.",
        now
    );
}

inline Problem assertion_expired(Timestamp now) {
    return assertion_out_of_time("auth.assertion_expired", "The assertion has expired.", now);
}

inline Problem assertion_bad_signature() {
    return {
        Kind::unauthenticated, "auth.assertion_bad_signature",
        "The assertion is not signed with the key that the agent enrolled with."
    };
}

inline Problem agent_key_replaced() {
    return {
        Kind::unauthenticated, "auth.key_replaced",
        "The agent has another key by now. If its VM was put back to an earlier state, give it a "
        "new enrollment token."
    };
}

inline Problem assertion_replayed() {
    return {
        Kind::unauthenticated, "auth.assertion_replayed",
        "The assertion has been used before. Sign a new one with another jti."
    };
}

}  // namespace synapsex::auth

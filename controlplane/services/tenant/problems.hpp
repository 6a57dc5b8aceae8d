#pragma once

// Every way in which tenant-service refuses. The codes are part of the API.

#include <string>

#include "shared/base/problem.hpp"

namespace synapsex::tenant {

inline Problem not_found() {
    return {
        Kind::not_found, "tenants.not_found",
        "There is no such tenant among those that this call may act in. Choose one of yours with "
        "X-Tenant-Id."
    };
}

inline Problem member_not_found() {
    return {
        Kind::not_found, "tenants.member_not_found", "The user is no member of this tenant."
    };
}

inline Problem slug_invalid() {
    return {
        Kind::invalid, "tenants.slug_invalid", "The slug is not one.",
        {{"/slug", "malformed",
          "Use lower-case letters, digits and single hyphens between them, as in \"acme-prod\"."}}
    };
}

inline Problem slug_taken(const std::string& slug) {
    return {
        Kind::conflict, "tenants.slug_taken", "Another tenant has the slug \"" + slug + "\"."
    };
}

inline Problem role_required() {
    return {
        Kind::forbidden, "tenants.role_required",
        "Your role in this tenant no longer allows changing members."
    };
}

inline Problem owner_required() {
    return {
        Kind::forbidden, "tenants.owner_required",
        "Only an owner makes, changes or removes an owner."
    };
}

inline Problem last_owner() {
    return {
        Kind::conflict, "tenants.last_owner",
        "A tenant keeps at least one owner. Make another member an owner first."
    };
}

inline Problem member_exists() {
    return {
        Kind::conflict, "tenants.member_exists",
        "The user is a member already. Change the role with PATCH."
    };
}

inline Problem limit_reached(const std::string& detail) {
    return {Kind::conflict, "tenants.limit_reached", detail};
}

inline Problem confirmation_wrong(const std::string& slug) {
    return {
        Kind::invalid, "tenants.confirmation_wrong",
        "The tenant is not the one that was confirmed.",
        {{"confirm", "mismatch",
          "Pass the slug of the tenant that is to be deleted: \"" + slug + "\"."}}
    };
}

inline Problem deletion_needs_owner() {
    return {
        Kind::forbidden, "tenants.owner_required",
        "Only an owner has the tenant deleted, or takes that back."
    };
}

inline Problem purge_started() {
    return {
        Kind::conflict, "tenants.purge_started",
        "The grace of the deletion is over and the tenant is being removed; that cannot be taken "
        "back."
    };
}

// --- of the local command ---

inline Problem no_such_tenant(const std::string& id_or_slug) {
    return {
        Kind::not_found, "tenants.not_found",
        "No tenant has the slug or id \"" + id_or_slug + "\"; `tenants list` has them all."
    };
}

inline Problem reason_invalid(std::size_t max) {
    return {
        Kind::invalid, "tenants.reason_invalid",
        "The reason has to be one line of at most " + std::to_string(max) +
            " characters; the tenant's people read it."
    };
}

inline Problem plan_unknown(const std::string& plan, std::int64_t newest) {
    return {
        Kind::invalid, "tenants.plan_unknown",
        "There is no such version of the plan " + plan + "; the newest is " +
            std::to_string(newest) + "."
    };
}

inline Problem limit_invalid(const std::string& detail) {
    return {Kind::invalid, "tenants.limit_invalid", detail};
}

}  // namespace synapsex::tenant

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

}  // namespace synapsex::tenant

#include "controlplane/services/api_gateway/authorization.hpp"

#include <gmock/gmock.h>

#include <array>

namespace synapsex::api_gateway {
namespace {

using ::testing::HasSubstr;

std::string code_of(const Result<Done>& result) { return result ? "" : result.error().code; }

api::OperationInfo operation(api::Verb method, const auth::Access& access) {
    api::OperationInfo info;
    info.method = method;
    info.access = access;
    return info;
}

Principal person(const Standing& standing) {
    Principal principal;
    principal.kind = PrincipalKind::user;
    principal.role = auth::Role::owner;
    principal.scopes = auth::scopes_of(auth::Role::owner);
    principal.standing = standing;
    return principal;
}

const Standing kSuspended{TenantState::suspended, {}, "unpaid invoices", {}};
const Standing kPending{
    TenantState::pending_deletion, {}, {},
    Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 2 / 1}}};

TEST(Authorization, a_tenant_that_is_not_active_reads_and_changes_nothing) {
    const auto access = auth::user("vms.read");
    for (const auto& [standing, code] :
         {std::pair{kSuspended, "tenants.suspended"}, {kPending, "tenants.pending_deletion"}}) {
        const auto principal = person(standing);
        EXPECT_EQ(code_of(authorize(principal, operation(api::Verb::get, access))), "");
        for (const auto verb :
             {api::Verb::post, api::Verb::put, api::Verb::patch, api::Verb::delete_})
            EXPECT_EQ(code_of(authorize(principal, operation(verb, access))), code);
        EXPECT_EQ(
            code_of(authorize(principal, operation(api::Verb::post, auth::signed_in()))), code
        );
    }
    EXPECT_EQ(code_of(authorize(person({}), operation(api::Verb::post, access))), "");
}

TEST(Authorization, says_why_and_who_can_help) {
    const auto post = operation(api::Verb::post, auth::signed_in());
    const auto suspended = authorize(person(kSuspended), post);
    EXPECT_EQ(suspended.error().kind, Kind::forbidden);
    EXPECT_THAT(suspended.error().detail, HasSubstr("(unpaid invoices)"));
    EXPECT_THAT(suspended.error().detail, HasSubstr("Ask whoever runs this server"));
    const auto pending = authorize(person(kPending), post);
    EXPECT_THAT(pending.error().detail, HasSubstr("at 2026-02-01T00:00:00Z"));
    EXPECT_THAT(pending.error().detail, HasSubstr("An owner takes that back"));
}

TEST(Authorization, what_is_declared_so_goes_on_in_any_standing) {
    const auto access = auth::in_any_standing(auth::without_keys(auth::user("tenants.write")));
    const auto post = operation(api::Verb::post, access);
    EXPECT_EQ(code_of(authorize(person(kSuspended), post)), "");
    auto viewer = person(kSuspended);
    viewer.scopes = auth::scopes_of(auth::Role::viewer);
    EXPECT_EQ(code_of(authorize(viewer, post)), "auth.scope_missing");
    auto program = person(kSuspended);
    program.kind = PrincipalKind::api_key;
    EXPECT_EQ(code_of(authorize(program, post)), "auth.sign_in_required");
}

TEST(Authorization, agents_report_and_people_sign_in_in_any_standing) {
    Principal agent;
    agent.kind = PrincipalKind::agent;
    agent.standing = kSuspended;
    EXPECT_EQ(code_of(authorize(agent, operation(api::Verb::post, auth::agent()))), "");
    for (const auto& access : {auth::proof(), auth::anyone()})
        EXPECT_EQ(
            code_of(authorize(person(kSuspended), operation(api::Verb::post, access))), ""
        );
    EXPECT_EQ(
        code_of(authorize(agent, operation(api::Verb::get, auth::signed_in()))),
        "auth.wrong_kind_of_caller"
    );
}

}  // namespace
}  // namespace synapsex::api_gateway

#include <cstdio>
#include <iostream>

#include "controlplane/app/commands.hpp"
#include "controlplane/app/credentials_file.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/local_operator.hpp"
#include "controlplane/app/services.hpp"
#include "controlplane/platform/api/codec.hpp"
#include "controlplane/services/auth/api.hpp"
#include "shared/base/describe.hpp"
#include "shared/crypto/file_key_store.hpp"

namespace synapsex::app {

namespace {

constexpr std::size_t kPasswordSize = 20;  // of 62 characters: 119 bits
constexpr std::chrono::seconds kRecoveryBudget{60};

// The first line of standard input.
std::string read_password() {
    std::string password;
    std::getline(std::cin, password);
    if (password.ends_with('\r')) password.pop_back();
    return password;
}

// What /v1 holds users to.
void check_wish(const RecoverOwnerWish& wish, const std::string& password) {
    const auto checked =
        api::Codec<auth::Register>::check(auth::Register{{wish.email}, {password}, {}});
    if (checked) return;
    const auto problem = checked.error();
    const auto& first = problem.errors.front();
    throw StartRefused(
        (first.pointer == "/password" ? "the password " : "--email ") + first.detail
    );
}

std::string change_of_role(const auth::RecoveryPlan& plan) {
    if (plan.role == auth::Role::owner) return "stays an owner of";
    if (!plan.role) return "becomes an owner of";
    return "until now " + std::string{enum_name(*plan.role)} + ", becomes an owner of";
}

void print_plan(const Config& config, const auth::RecoveryPlan& plan) {
    const auto& tenant = plan.tenant;
    const char* user = plan.user_id ? "" : "  (a new user)";
    std::printf(
        "In %s\n"
        "  %s%s\n"
        "  gets a new password; all sessions of the user end;\n"
        "  %s the tenant %s (%s).\n",
        config.data_dir.c_str(), plan.email.c_str(), user, change_of_role(plan).c_str(),
        tenant.slug.c_str(), tenant.tenant_id.text().c_str()
    );
    std::fflush(stdout);
}

std::filesystem::path staged(const std::filesystem::path& file) {
    auto path = file;
    path += ".new";
    return path;
}

// The password is in place before it counts, and what was there stays until then.
void stage_credentials(
    const RecoverOwnerWish& wish, const std::string& email, const std::string& password
) {
    if (wish.credentials_file.empty()) return;
    write_credentials(
        staged(wish.credentials_file), email, password, "nothing was changed"
    );
}

void keep_credentials(const RecoverOwnerWish& wish) {
    if (wish.credentials_file.empty()) return;
    std::error_code failure;
    std::filesystem::rename(staged(wish.credentials_file), wish.credentials_file, failure);
    if (failure)
        std::fprintf(
            stderr, "The credentials stay in %s: %s\n", staged(wish.credentials_file).c_str(),
            failure.message().c_str()
        );
}

auth::Recovered carry_out(
    auth::Recovery& recovery, const Call& call, const auth::RecoveryPlan& plan,
    const std::string& password
) {
    const auto recovered = recovery.carry_out(call, plan, password);
    if (recovered) return *recovered;
    throw StartRefused(
        recovered.error().detail + " The old password counts unless a sign-in says otherwise; run "
        "this again."
    );
}

}  // namespace

int recover_owner(const Config& config, const RecoverOwnerWish& wish) {
    require_owner(config.data_dir);
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    api::ParkingLot parking;
    wakeups::Board wakeups;
    const auto password =
        wish.is_password_on_stdin ? read_password() : random.base62(kPasswordSize);
    check_wish(wish, password);
    const crypto::FileKeyStore keys{key_directory(config.data_dir), random};
    const auto identity = load_identity(config.data_dir, keys);
    TaskBook tasks{metrics, clock};
    const Platform platform{clock, random, metrics, parking, tasks, wakeups};
    Services services{platform, config, identity};
    api::Router router;
    services.prepare(router);

    const auto call = call_of_local_operator(
        "recover-owner", wish.sudo_uid, Deadline::after(clock, kRecoveryBudget)
    );
    auto recovery = services.auth().recovery(services.tenants().recovery());
    const auto plan = recovery.plan(call, {wish.email, wish.tenant, wish.may_make_user});
    if (!plan) throw StartRefused(plan.error().detail);
    print_plan(config, *plan);
    stage_credentials(wish, plan->email, password);
    const auto recovered = carry_out(recovery, call, *plan, password);
    keep_credentials(wish);
    std::printf("Done; %zu sessions ended.\n", recovered.sessions_ended);
    if (!wish.is_password_on_stdin)
        std::printf(
            "  password  %s\nThe password is shown this once. Keep it.\n", password.c_str()
        );
    return 0;
}

}  // namespace synapsex::app

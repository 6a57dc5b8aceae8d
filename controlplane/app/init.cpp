#include <array>
#include <cstdio>
#include <utility>

#include "controlplane/app/commands.hpp"
#include "controlplane/app/credentials_file.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/services.hpp"
#include "controlplane/platform/api/codec.hpp"
#include "controlplane/services/auth/api.hpp"
#include "controlplane/services/auth/email.hpp"
#include "controlplane/services/auth/problems.hpp"
#include "controlplane/services/tenant/api.hpp"
#include "shared/base/version.hpp"
#include "shared/crypto/file_key_store.hpp"

namespace synapsex::app {

namespace {

constexpr std::size_t kPasswordSize = 20;  // of 62 characters: 119 bits
constexpr std::chrono::seconds kInitBudget{60};

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kFlagOfPointer{
    {{"/email", "--email"}, {"/fullName", "--full-name"}, {"/name", "--tenant-name"}}
};

void require(const Result<Done>& checked) {
    if (checked) return;
    const auto problem = checked.error();
    const auto& first = problem.errors.front();
    for (const auto& [pointer, flag] : kFlagOfPointer)
        if (first.pointer == pointer) throw StartRefused(std::string{flag} + " " + first.detail);
    throw StartRefused(problem.detail);
}

// What was said is held to what /v1 holds users and tenants to, before anything is written.
void check_wish(const InitWish& wish, const std::string& password) {
    auth::Register owner{{wish.email}, {password}, {}};
    if (!wish.full_name.empty()) owner.full_name = {wish.full_name};
    require(api::Codec<auth::Register>::check(owner));
    if (!auth::normalize_email(wish.email)) throw StartRefused(auth::email_invalid().detail);
    require(api::Codec<tenant::CreateTenant>::check({{wish.tenant_name}, {}}));
}

// A failure that may have come after the owner was committed.
void print_in_case(const std::string& password) {
    std::printf(
        "Making the owner failed, perhaps at its very end. If the next init says that there is\n"
        "one already, its password is  %s\n",
        password.c_str()
    );
}

Result<auth::FirstOwner> create_owner(
    auth::AuthModule& auth, const Call& call, const auth::FirstOwnerWish& wish
) {
    try {
        auto owner = auth.create_first_owner(call, wish);
        if (!owner && owner.error().kind == Kind::unavailable) print_in_case(wish.password);
        return owner;
    } catch (const std::exception&) {
        print_in_case(wish.password);
        throw;
    }
}

}  // namespace

int init(const Config& config, const InitWish& wish) {
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    api::ParkingLot parking;
    wakeups::Board wakeups;
    const auto password = random.base62(kPasswordSize);
    check_wish(wish, password);
    require_owner(config.data_dir);
    make_data_dir(config.data_dir);
    crypto::FileKeyStore keys{key_directory(config.data_dir), random};
    const auto identity = load_or_make_identity(config.data_dir, config.public_url, keys);
    make_authority(config.data_dir, clock.now());
    TaskBook tasks{metrics, clock};
    const Platform platform{clock, random, metrics, parking, tasks, wakeups};
    auto own = config;
    own.default_plan = tenant::PlanName::enterprise;  // the first tenant is of who runs the server
    Services services{platform, own, identity};
    api::Router router;
    services.prepare(router);

    const auto call = Call::system("init", Deadline::after(clock, kInitBudget));
    const auto is_used = services.auth().has_users(call);
    if (!is_used) throw StartRefused(is_used.error().detail);
    // Once nothing that was said can be wrong any more: the issuer stays for good.
    save_issuer(config.data_dir, identity.issuer);
    if (const auto notice = issuer_notice(config, identity.issuer))
        std::fprintf(stderr, "%s\n", notice->c_str());
    if (*is_used) {
        std::printf(
            "Initialised before: there is an owner already. Nothing was made but what keys were "
            "missing.\n"
        );
        return 0;
    }
    // Before the owner is made: there must never be an owner whose password nobody knows.
    if (!wish.credentials_file.empty())
        write_credentials(
            wish.credentials_file, wish.email, password, "there is no owner yet"
        );
    const auto owner = create_owner(
        services.auth(), call, {wish.email, wish.full_name, password, wish.tenant_name}
    );
    if (!owner) {
        if (owner.error().kind != Kind::unavailable) remove_credentials(wish.credentials_file);
        throw StartRefused(owner.error().detail);
    }
    std::printf(
        "SynapseX %.*s is initialised in %s\n"
        "  tenant    %s (%s)\n"
        "  owner     %s\n"
        "  password  %s\n"
        "The password is shown this once. Keep it.\n",
        static_cast<int>(kVersion.size()), kVersion.data(), config.data_dir.c_str(),
        owner->tenant_slug.c_str(), owner->tenant_id.text().c_str(), wish.email.c_str(),
        password.c_str()
    );
    return 0;
}

}  // namespace synapsex::app

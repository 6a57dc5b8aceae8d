#include <cstdio>

#include "controlplane/app/commands.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/services.hpp"
#include "shared/crypto/authority.hpp"

namespace synapsex::app {

namespace {

template <class T>
T require(Result<T> outcome) {
    if (!outcome) throw StartRefused(outcome.error().detail);
    return *std::move(outcome);
}

void show(const crypto::Authority& authority) {
    std::fputs(authority.certificate().c_str(), stdout);
}

void rotate(const crypto::Authority& authority, const std::filesystem::path& path) {
    if (authority.former_pin())
        throw StartRefused(
            "the authority before this one still counts; end that first: "
            "synapsex-controlplane authority retire"
        );
    const auto next = authority.make_successor(SystemClock{}.now());
    require(next.replace(path));
    std::printf(
        "The authority %s is followed by %s.\n"
        "Servers show both from now on, each within 15 s; with replicas, copy %s to the others.\n"
        "Agents pin the new one, too, within two heartbeats; new enrollment tokens pin it alone.\n"
        "Next:\n"
        "  make a backup: one from before this brings the former authority back\n"
        "  give browsers and synapsexctl the new certificate:\n"
        "    synapsex-controlplane authority show\n"
        "  when every agent has been online for some minutes:\n"
        "    synapsex-controlplane authority retire\n",
        authority.pin().c_str(), next.pin().c_str(), path.c_str()
    );
}

void retire(const crypto::Authority& authority, const std::filesystem::path& path) {
    const auto former = authority.former_pin();
    if (!former) throw StartRefused("there is no former authority to retire");
    require(authority.without_former().replace(path));
    std::printf(
        "The former authority %s counts no more.\n"
        "An agent that was offline all the time since the rotation says net.tls_authority: put\n"
        "authority_pin = \"%s\" into its agent.toml.\n"
        "Browsers and synapsexctl need the certificate of synapsex-controlplane authority show.\n"
        "Make a backup: one from before this brings the former authority back.\n",
        former->c_str(), authority.pin().c_str()
    );
}

}  // namespace

int manage_authority(const Config& config, AuthorityWish wish) {
    require_owner(config.data_dir);
    refuse_unfinished_restore(config.data_dir);
    const auto path = authority_path(config.data_dir);
    const auto authority = load_authority(config.data_dir);
    switch (wish) {
    case AuthorityWish::show:
        show(authority);
        break;
    case AuthorityWish::rotate:
        rotate(authority, path);
        break;
    case AuthorityWish::retire:
        retire(authority, path);
        break;
    }
    return 0;
}

}  // namespace synapsex::app

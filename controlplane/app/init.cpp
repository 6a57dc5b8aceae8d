#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/app/commands.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/services.hpp"
#include "shared/base/version.hpp"

namespace synapsex::app {

namespace {

constexpr std::size_t kPasswordSize = 20;  // of 62 characters: 119 bits
constexpr std::chrono::seconds kInitBudget{60};

void write_credentials(
    const std::filesystem::path& file, const std::string& email, const std::string& password
) {
    std::string json = "{\"email\":";
    append_json_string(json, email);
    json += ",\"password\":";
    append_json_string(json, password);
    json += "}\n";
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool is_written =
        fd >= 0 && ::fchmod(fd, 0600) == 0 &&
        ::write(fd, json.data(), json.size()) == static_cast<ssize_t>(json.size()) &&
        ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!is_written) throw StartRefused("cannot write " + file.string());
}

}  // namespace

int init(const Config& config, const InitWish& wish) {
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    api::ParkingLot parking;
    make_data_dir(config.data_dir);
    auto signing_key = load_or_make_signing_key(config.data_dir, random);
    const Platform platform{clock, random, metrics, parking};
    Services services{platform, config, std::move(signing_key)};
    api::Router router;
    services.prepare(router);

    const auto call = Call::system("init", Deadline::after(clock, kInitBudget));
    const auto password = random.base62(kPasswordSize);
    const auto owner = services.auth().create_first_owner(
        call, {wish.email, wish.full_name, password, wish.tenant_name}
    );
    if (!owner && owner.error().code == "auth.already_initialized") {
        std::printf("Initialised before: there is an owner already. Nothing was changed.\n");
        return 0;
    }
    if (!owner) throw StartRefused(owner.error().detail);
    if (!wish.credentials_file.empty())
        write_credentials(wish.credentials_file, wish.email, password);
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

#include <array>
#include <cstdio>
#include <filesystem>

#include <unistd.h>

#include "controlplane/app/backup_parts.hpp"
#include "controlplane/app/commands.hpp"
#include "controlplane/app/services.hpp"
#include "shared/base/describe.hpp"
#include "shared/crypto/file_key_store.hpp"

namespace synapsex::app {

namespace {

// All services on a database that is thrown away: what they are does not depend on what they hold.
class Showcase {
 public:
    Showcase() {
        std::string path = (std::filesystem::temp_directory_path() / "synapsex-XXXXXX").string();
        if (!::mkdtemp(path.data())) throw StartRefused("cannot make a temporary directory");
        config_.data_dir = path;
        config_.database_url = "sqlite://" + path + "/showcase.db";
        config_.public_url = "http://127.0.0.1:8080";
        make_data_dir(path);
        crypto::FileKeyStore keys{key_directory(path), random_};
        services_.emplace(
            Platform{clock_, random_, metrics_, parking_, tasks_, wakeups_}, config_,
            load_or_make_identity(path, config_.public_url, keys)
        );
        services_->prepare(router_);
    }
    ~Showcase() {
        services_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(config_.data_dir, ignored);
    }

    Services& services() { return *services_; }
    const api::Router& router() const { return router_; }
    const Config& config() const { return config_; }

 private:
    SystemClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    api::ParkingLot parking_;
    wakeups::Board wakeups_;
    TaskBook tasks_{metrics_, clock_};
    Config config_;
    api::Router router_;
    std::optional<Services> services_;
};

}  // namespace

int list_services() {
    Showcase showcase;
    for (const auto* module : showcase.services().modules()) {
        const auto& manifest = module->manifest();
        std::string prefixes;
        for (const auto prefix : manifest.prefixes)
            prefixes += (prefixes.empty() ? "" : ",") + std::string{prefix};
        std::printf(
            "%s\t%d\t%s\n", std::string{manifest.name}.c_str(), manifest.port, prefixes.c_str()
        );
    }
    return 0;
}

int list_tables() {
    Showcase showcase;
    for (const auto& owner : showcase.services().table_owners())
        for (const auto& table : owner.tables) {
            const std::array<std::string, 5> columns{
                std::string{table.name}, std::string{owner.name},
                std::string{enum_name(table.growth)}, db::describe_kept(table),
                std::string{table.pruner}
            };
            for (const auto& column : columns)
                std::printf("%s%c", column.c_str(), &column == &columns.back() ? '\n' : '\t');
        }
    return 0;
}

int print_openapi() {
    Showcase showcase;
    const auto text = api_gateway::make_openapi(showcase.router(), showcase.config().public_url);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
}

std::vector<AppliedMigration> known_migrations() {
    Showcase showcase;
    std::vector<AppliedMigration> known;
    const auto add = [&](std::string_view owner, std::span<const db::Migration> migrations) {
        for (const auto& migration : migrations)
            known.push_back({std::string{owner}, migration.number, std::string{migration.name}});
    };
    for (const auto& part : HostedDatabase::parts()) add(part.name, part.migrations);
    for (const auto* module : showcase.services().modules())
        add(module->manifest().name, module->manifest().migrations);
    return known;
}

}  // namespace synapsex::app

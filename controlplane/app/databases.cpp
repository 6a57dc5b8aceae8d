#include "controlplane/app/databases.hpp"

#include <ranges>

#include "controlplane/platform/db/database_url.hpp"

namespace synapsex::app {

std::string folder_of(std::string_view service) {
    std::string folder{service.substr(0, service.rfind("-service"))};
    for (char& c : folder)
        if (c == '-') c = '_';
    return folder;
}

HostedDatabase& Databases::hosted(const std::string& service) {
    auto options = db::parse_database_url(config_.database_url_of(service));
    if (!options) throw StartRefused("database of " + service + ": " + options.error().detail);
    const std::string name = config_.service_database_urls.contains(service) ? service : "main";
    const auto host = [&](
        const std::string& key, const HostedDatabase::Place& place, const auto& open
    ) -> HostedDatabase& {
        auto& hosted = by_place_[key];
        if (!hosted) hosted = std::make_unique<HostedDatabase>(platform_, place, open());
        return *hosted;
    };
    if (auto* sqlite = std::get_if<db::SqliteOptions>(&*options)) {
        sqlite->name = name;
        const auto file = db::resolve_path(sqlite->path);
        return host(file, {.name = name, .file = file}, [&] {
            return db::open_sqlite(*sqlite, platform_.clock, platform_.metrics);
        });
    }
    auto& postgres = std::get<db::PostgresOptions>(*options);
    postgres.name = name;
    const auto& listen_url = config_.database_listen_url_of(service);
    return host(postgres.url, {.name = name, .listen_url = listen_url}, [&] {
        return db::open_postgres(postgres, platform_.clock, platform_.random, platform_.metrics);
    });
}

void Databases::prepare(std::span<Module* const> modules) {
    std::map<db::Database*, std::vector<db::ServiceMigrations>> by_database;
    for (const auto& [place, hosted] : by_place_)
        for (const auto& part : HostedDatabase::parts())
            by_database[&hosted->database()].push_back({part.name, part.migrations});
    for (const auto* module : modules) {
        const auto& manifest = module->manifest();
        if (manifest.migrations.empty()) continue;
        const db::ServiceMigrations migrations{manifest.name, manifest.migrations};
        by_database[&of(folder_of(manifest.name))].push_back(migrations);
    }
    for (const auto& [database, migrations] : by_database)
        db::migrate(*database, migrations, platform_.clock);
    for (const auto& [place, hosted] : by_place_) hosted->prepare();
    for (const auto* module : modules)
        if (!module->manifest().queries.empty())
            of(folder_of(module->manifest().name)).prepare_all(module->manifest().queries);
}

void Databases::start(const std::vector<outbox::Consumer*>& consumers) {
    for (const auto& hosted : by_place_ | std::views::values) hosted->start(consumers);
}

void Databases::start_relays() {
    for (const auto& hosted : by_place_ | std::views::values) hosted->start_relay();
}

void Databases::stop_relays() {
    for (const auto& hosted : by_place_ | std::views::values) hosted->stop_relay();
}

void Databases::stop() {
    for (const auto& hosted : by_place_ | std::views::values) hosted->stop();
}

}  // namespace synapsex::app

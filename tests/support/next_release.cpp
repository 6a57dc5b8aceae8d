// next_release DATABASE_URL NAME SQL: the release after this one, as far as a database can tell. It
// has this one's migrations of tenant-service and one more, applies what is missing as a start
// does, and ends.

#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "controlplane/platform/db/database_url.hpp"
#include "controlplane/platform/db/migrate.hpp"
#include "controlplane/platform/metrics.hpp"
#include "controlplane/services/tenant/migrations.hpp"
#include "shared/base/random.hpp"
#include "shared/base/time.hpp"

namespace synapsex {
namespace {

std::unique_ptr<db::Database> open(
    const std::string& url, const Clock& clock, Random& random, Metrics& metrics
) {
    const auto options = db::parse_database_url(url).value();
    if (const auto* sqlite = std::get_if<db::SqliteOptions>(&options))
        return db::open_sqlite(*sqlite, clock, metrics);
    return db::open_postgres(std::get<db::PostgresOptions>(options), clock, random, metrics);
}

void migrate(const std::string& url, const std::string& name, const std::string& sql) {
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    const auto database = open(url, clock, random, metrics);
    std::vector<db::Migration> migrations{tenant::kMigrations.begin(), tenant::kMigrations.end()};
    migrations.push_back({static_cast<int>(migrations.size()) + 1, name, sql});
    const std::vector<db::ServiceMigrations> services{{"tenant-service", migrations}};
    db::migrate(*database, services, clock);
}

}  // namespace
}  // namespace synapsex

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    try {
        synapsex::migrate(argv[1], argv[2], argv[3]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "next_release: %s\n", error.what());
        return 1;
    }
    return 0;
}

#include "controlplane/platform/db/migrate.hpp"

#include <algorithm>
#include <boost/describe.hpp>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "shared/base/log.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::db {

namespace {

struct Applied {
    int number;
    std::string name;
    std::string sha256;
};
BOOST_DESCRIBE_STRUCT(Applied, (), (number, name, sha256))

constexpr std::string_view kCreateRecords = R"sql(
    CREATE TABLE IF NOT EXISTS schema_migrations (
        service ${id} NOT NULL,
        number ${int} NOT NULL,
        name TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        applied_at ${int} NOT NULL,
        PRIMARY KEY (service, number)
    ) ${strict};
)sql";

constexpr Query kListApplied{"migrations.list_applied", R"sql(
    SELECT number, name, sha256 FROM schema_migrations WHERE service = $1 ORDER BY number)sql"};

constexpr Query kInsertApplied{"migrations.insert", R"sql(
    INSERT INTO schema_migrations (service, number, name, sha256, applied_at)
    VALUES ($1, $2, $3, $4, $5))sql"};

MigrationRefused refused(const ServiceMigrations& service, const std::string& why) {
    return MigrationRefused(std::string{service.service} + ": " + why);
}

// The binary's own list is 1, 2, 3 … without gaps.
void verify_numbers(const ServiceMigrations& service) {
    int expected = 1;
    for (const auto& migration : service.migrations) {
        if (migration.number != expected)
            throw refused(
                service,
                "migration " + std::to_string(expected) +
                    " is missing from this program, which has " + std::string{migration.name} +
                    " in its place"
            );
        ++expected;
    }
}

// What the binary has of it is there text for text.
void verify_known(
    const ServiceMigrations& service, const Applied& record, const Migration& known
) {
    if (record.name != known.name)
        throw refused(
            service,
            "the database has applied " + record.name +
                ", which is gone from this program; it has " + std::string{known.name} +
                " in its place"
        );
    if (record.sha256 != crypto::sha256_hex(known.sql))
        throw refused(
            service,
            "migration " + record.name +
                " was edited after it was applied; restore its text and write a new migration"
        );
}

// A newer release's. What only adds is no matter to this one.
void verify_newer(const ServiceMigrations& service, const Applied& record) {
    if (is_contract(record.name))
        throw refused(
            service,
            "a newer release has taken away from the database what this program may need: it has "
            "applied " +
                record.name + "; start that release instead"
        );
}

// What was applied begins with what the binary has; if there is more, it is a newer release's.
void verify_applied(const ServiceMigrations& service, std::span<const Applied> applied) {
    for (std::size_t i = 0; i < applied.size(); ++i) {
        const int expected = static_cast<int>(i) + 1;
        if (applied[i].number != expected)
            throw refused(
                service,
                "the database has no record of migration " + std::to_string(expected) +
                    " but has applied " + applied[i].name
            );
        if (i < service.migrations.size())
            verify_known(service, applied[i], service.migrations[i]);
        else
            verify_newer(service, applied[i]);
    }
}

// What is applied of the service, verified.
std::vector<Applied> list_verified(Session& session, const ServiceMigrations& service) {
    auto applied = session.list<Applied>(kListApplied, service.service);
    verify_applied(service, applied);
    return applied;
}

void apply(
    SchemaChange& change, const ServiceMigrations& service, const Migration& migration, Timestamp at
) {
    try {
        change.run_script(migration.sql);
    } catch (const std::exception& error) {
        throw DatabaseError(
            std::string{service.service} + " " + std::string{migration.name} + ": " + error.what()
        );
    }
    change.session().execute(
        kInsertApplied,
        service.service,
        migration.number,
        migration.name,
        crypto::sha256_hex(migration.sql),
        at
    );
}

// Applies one migration; false when none is left. Looks again inside the transaction, because
// another replica may be migrating too.
bool apply_next(Database& database, const ServiceMigrations& service, const Clock& clock) {
    const Migration* applied = nullptr;
    database.change_schema([&](SchemaChange& change) {
        const auto count = list_verified(change.session(), service).size();
        applied = nullptr;
        if (count >= service.migrations.size()) return;
        applied = &service.migrations[count];
        apply(change, service, *applied, clock.now());
    });
    if (!applied) return false;
    log_info("migration applied", {{"service", service.service}, {"migration", applied->name}});
    return true;
}

void log_newer(const ServiceMigrations& service, const Applied& last) {
    log_warning(
        "database of a newer release, which only added to it",
        {{"service", service.service}, {"migration", last.name}}
    );
}

}  // namespace

bool is_contract(std::string_view name) {
    const auto verb = name.find('_');
    return verb != name.npos && name.substr(verb + 1).starts_with("contract_");
}

void migrate(Database& database, std::span<const ServiceMigrations> services, const Clock& clock) {
    for (const auto& service : services) verify_numbers(service);
    std::vector<ServiceMigrations> behind;
    database.change_schema([&](SchemaChange& change) {
        behind.clear();
        change.run_script(kCreateRecords);
        for (const auto& service : services) {
            const auto applied = list_verified(change.session(), service);
            if (applied.size() < service.migrations.size()) behind.push_back(service);
            if (applied.size() > service.migrations.size()) log_newer(service, applied.back());
        }
    });
    for (const auto& service : behind) {
        while (apply_next(database, service, clock)) {
        }
    }
}

}  // namespace synapsex::db

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>

#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "controlplane/app/backup_archive.hpp"
#include "controlplane/app/backup_parts.hpp"
#include "controlplane/app/child_program.hpp"
#include "controlplane/app/commands.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/interruption.hpp"
#include "controlplane/app/start_refused.hpp"
#include "controlplane/platform/db/postgres/client_environment.hpp"
#include "shared/base/version.hpp"
#include "shared/crypto/file_key_store.hpp"
#include "shared/crypto/key_copies.hpp"
#include "shared/sqlite/connection.hpp"
#include "shared/sqlite/snapshot.hpp"

namespace synapsex::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kWorkName = "backup-work";
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr const char* kMigrationsOf =
    "SELECT service, number, name FROM schema_migrations ORDER BY service, number";
constexpr const char* kIncarnationOf = "SELECT incarnation FROM agent_registry_server";
// What row level security would hide from who connects would be missing without a word.
constexpr const char* kSeesAll =
    "SELECT pg_has_role(current_user, 'synapsex_system', 'USAGE') OR rolbypassrls OR rolsuper "
    "FROM pg_roles WHERE rolname = current_user";

using Rows = std::vector<std::vector<std::string>>;

Rows ask_file(const fs::path& file, const std::string& sql) {
    sqlite::Connection connection{{.path = file, .access = sqlite::Access::query_only}};
    auto statement = connection.prepare(sql);
    Rows rows;
    while (statement.step()) {
        auto& row = rows.emplace_back();
        for (int i = 0; i < statement.column_count(); ++i) row.emplace_back(statement.text(i));
    }
    return rows;
}

bool has_agents(const DatabasePlace& place) {
    return std::ranges::find(place.services, "agent_registry") != place.services.end();
}

template <class Ask>
BackedUpDatabase describe(const DatabasePlace& place, const Ask& ask) {
    BackedUpDatabase described{place.name, std::string{place.engine()}, place.services, {}, {}};
    for (const auto& row : ask(kMigrationsOf)) {
        std::int64_t number = 0;
        std::from_chars(row[1].data(), row[1].data() + row[1].size(), number);
        described.migrations.push_back({row[0], number, row[2]});
    }
    if (!has_agents(place)) return described;
    // None before the first start.
    const auto incarnation = ask(kIncarnationOf);
    if (!incarnation.empty()) described.incarnation = incarnation[0][0];
    return described;
}

std::uint64_t size_of(const fs::path& file) {
    std::error_code ignored;
    const auto size = fs::file_size(file, ignored);
    return ignored ? 0 : size;
}

// One run of `backup`.
class Backup {
 public:
    Backup(const Config& config, const BackupWish& wish)
        : config_(config),
          wish_(wish),
          passphrase_(load_passphrase(wish.passphrase_file, wish.file, config.data_dir)),
          keys_(key_directory(config.data_dir), random_),
          places_(list_places(config)) {
        require_owner(config.data_dir);
    }

    int run() {
        const auto started_at = clock_.steady_now();
        manifest_.version = kVersion;
        manifest_.created_at = format_rfc3339(clock_.now());
        manifest_.issuer = load_identity(config_.data_dir, keys_).issuer;
        manifest_.keys = list_key_ids(config_.data_dir);
        const auto copies = crypto::copy_keys(key_directory(config_.data_dir));
        if (!copies) throw StartRefused(copies.error().detail);
        const WorkFolder work{
            wish_.work_dir.empty() ? config_.data_dir / kWorkName : wish_.work_dir / kWorkName
        };
        take_snapshots(work);
        BackupWriter writer{wish_.file, passphrase_, random_};
        writer.put(manifest_);
        writer.put("issuer", manifest_.issuer);
        for (const auto& copy : *copies) writer.put("key/" + copy.file, copy.content);
        for (const auto& place : places_) write(writer, place);
        writer.finish();
        const std::chrono::duration<double> took = clock_.steady_now() - started_at;
        progress_.clear();
        report(writer.bytes(), took.count());
        return 0;
    }

 private:
    void take_snapshots(const WorkFolder& work) {
        std::uint64_t bytes = 0;
        for (const auto& place : places_)
            if (place.is_file())
                bytes += size_of(place.file) + size_of(place.file.string() + "-wal");
        work.require_room(bytes);
        for (const auto& place : places_)
            manifest_.databases.push_back(place.is_file() ? copy(work, place) : look_at(place));
    }

    BackedUpDatabase copy(const WorkFolder& work, const DatabasePlace& place) {
        if (!fs::exists(place.file))
            throw StartRefused(
                "there is no database " + place.file.string() +
                "; say the --database-url that serve has"
            );
        const auto file = work.path() / (place.name + ".db");
        NewFile{file}.finish();  // for its owner alone, before there is anything in it
        try {
            const auto snapshot = sqlite::copy_snapshot(
                place.file, file, [&](std::int64_t done, std::int64_t all) {
                    Interruption::check();
                    const auto bytes = [](std::int64_t pages) {
                        return static_cast<std::uint64_t>(pages) * kPageBytes;
                    };
                    progress_.show("copying " + place.name, bytes(done), bytes(all));
                }
            );
            pages_[place.name] = snapshot.pages;
            snapshots_[place.name] = file;
            return describe(place, [&](const char* sql) { return ask_file(file, sql); });
        } catch (const sqlite::Error& error) {
            throw StartRefused("cannot copy " + place.file.string() + ": " + error.what());
        }
    }

    static BackedUpDatabase look_at(const DatabasePlace& place) {
        const auto ask = [&](const char* sql) { return ask_psql(place.url, sql); };
        if (ask(kSeesAll) != Rows{{"t"}})
            throw StartRefused(
                "who connects to " + shown(place) + " does not see all rows; GRANT "
                "synapsex_system to it, as serve needs it too"
            );
        return describe(place, ask);
    }

    void write(BackupWriter& writer, const DatabasePlace& place) {
        writer.begin("database/" + place.name);
        if (place.is_file()) write_file(writer, place);
        else dump(writer, place);
        writer.end();
    }

    void write_file(BackupWriter& writer, const DatabasePlace& place) {
        const auto& file = snapshots_.at(place.name);
        const auto all = size_of(file);
        const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
        std::string buffer(kReadBytes, '\0');
        std::uint64_t done = 0;
        for (;;) {
            const auto count = ::read(descriptor.number(), buffer.data(), buffer.size());
            if (count < 0) throw StartRefused("cannot read " + file.string());
            if (count == 0) break;
            writer.write(std::string_view{buffer}.substr(0, static_cast<std::size_t>(count)));
            done += static_cast<std::uint64_t>(count);
            progress_.show("sealing " + place.name, done, all);
        }
        fs::remove(file);
        if (done != all) throw StartRefused("cannot read " + file.string() + " to its end");
        plain_bytes_[place.name] = done;
    }

    // Its own snapshot: pg_dump reads everything in one transaction.
    void dump(BackupWriter& writer, const DatabasePlace& place) {
        auto environment = db::client_environment(place.url);
        // The policy of tenants' rows reads it; that of the system shows all of them.
        constexpr std::string_view kNoTenant = " -c synapsex.tenant_id=";
        const auto options = std::ranges::find_if(environment, [](const std::string& variable) {
            return variable.starts_with("PGOPTIONS=");
        });
        if (options != environment.end()) *options += kNoTenant;
        else environment.push_back("PGOPTIONS=" + std::string{kNoTenant});
        ChildProgram pg_dump{
            {"pg_dump", "--format=custom", "--no-password", "--enable-row-security",
             "--exclude-schema=before_restore_*"},
            environment, ChildProgram::Pipes::out
        };
        std::uint64_t done = 0;
        pg_dump.read([&](std::string_view piece) {
            writer.write(piece);
            done += piece.size();
            progress_.show("dumping " + place.name, done);
        });
        pg_dump.finish(" (behind a pooler, DATABASE_LISTEN_URL has to name the server itself)");
        plain_bytes_[place.name] = done;
    }

    void report(std::uint64_t bytes, double seconds) const {
        if (wish_.is_json) return report_json(bytes, seconds);
        std::printf(
            "Wrote %s: %llu bytes in %.1f s\n", wish_.file.c_str(),
            static_cast<unsigned long long>(bytes), seconds
        );
        for (const auto& database : manifest_.databases)
            std::printf(
                "  database  %s (%s), %llu bytes\n", database.name.c_str(),
                database.engine.c_str(),
                static_cast<unsigned long long>(plain_bytes_.at(database.name))
            );
        for (const auto& key : manifest_.keys)
            std::printf("  key       %s %s\n", key.name.c_str(), key.key_id.c_str());
        std::printf(
            "Try it:  synapsex-controlplane backup --verify %s --passphrase-file %s\n",
            wish_.file.c_str(), wish_.passphrase_file.c_str()
        );
    }

    void report_json(std::uint64_t bytes, double seconds) const;

    static constexpr std::uint64_t kPageBytes = 4096;  // SQLite's, unless told otherwise

    const Config& config_;
    const BackupWish& wish_;
    SystemClock clock_;
    SystemRandom random_;
    const std::string passphrase_;
    const crypto::FileKeyStore keys_;
    const std::vector<DatabasePlace> places_;
    BackupManifest manifest_;
    std::map<std::string, fs::path> snapshots_;
    std::map<std::string, std::int64_t> pages_;
    std::map<std::string, std::uint64_t> plain_bytes_;
    ProgressLine progress_;
};

void Backup::report_json(std::uint64_t bytes, double seconds) const {
    boost::json::array databases;
    for (const auto& database : manifest_.databases) {
        boost::json::object about{
            {"name", database.name},
            {"engine", database.engine},
            {"services", boost::json::value_from(database.services)},
            {"bytes", plain_bytes_.at(database.name)},
        };
        if (const auto pages = pages_.find(database.name); pages != pages_.end())
            about["pages"] = pages->second;
        if (!database.incarnation.empty()) about["incarnation"] = database.incarnation;
        databases.push_back(std::move(about));
    }
    const boost::json::object all{
        {"file", wish_.file.string()},
        {"version", manifest_.version},
        {"createdAt", manifest_.created_at},
        {"bytes", bytes},
        {"seconds", seconds},
        {"databases", std::move(databases)},
        {"keys", json_of(manifest_.keys)},
    };
    std::printf("%s\n", boost::json::serialize(all).c_str());
}

}  // namespace

int backup(const Config& config, const BackupWish& wish) {
    const Interruption interruption;
    return Backup{config, wish}.run();
}

}  // namespace synapsex::app

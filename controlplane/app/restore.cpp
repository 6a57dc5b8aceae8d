#include <algorithm>
#include <cstdio>
#include <iterator>
#include <list>
#include <system_error>

#include <unistd.h>

#include <boost/json.hpp>

#include "controlplane/app/backup_archive.hpp"
#include "controlplane/app/backup_parts.hpp"
#include "controlplane/app/backup_unpacking.hpp"
#include "controlplane/app/child_program.hpp"
#include "controlplane/app/commands.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/interruption.hpp"
#include "controlplane/app/restore_files.hpp"
#include "controlplane/app/start_refused.hpp"
#include "controlplane/platform/db/postgres/client_environment.hpp"
#include "controlplane/platform/db/postgres/schema_rules.hpp"
#include "controlplane/platform/db/sqlite/file_lock.hpp"
#include "controlplane/platform/leases/after_restore.hpp"
#include "controlplane/services/agent_registry/after_restore.hpp"
#include "controlplane/services/auth/after_restore.hpp"
#include "shared/base/version.hpp"
#include "shared/crypto/authority.hpp"
#include "shared/sqlite/connection.hpp"

namespace synapsex::app {

namespace fs = std::filesystem;

namespace {

constexpr const char* kWorkName = "restore-work";
constexpr const char* kCountTables =
    "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace";
constexpr const char* kCountUsers =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'synapsex'";

// "20261127t213000123456z": a name for what is moved aside, of this restore and no other.
std::string compact(Timestamp instant) {
    std::string text;
    for (const char c : format_rfc3339(instant)) {
        if (c >= '0' && c <= '9') text += c;
        if (c == 'T' || c == 'Z') text += static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

// One run of `restore`.
class Restore {
 public:
    Restore(const Config& config, const RestoreWish& wish)
        : config_(config),
          wish_(wish),
          passphrase_(load_passphrase(wish.passphrase_file, wish.file, config.data_dir)),
          places_(list_places(config)) {
        require_owner(config.data_dir);
    }
    // Whatever was not put in its place.
    ~Restore() {
        if (!locks_.empty()) remove_staged();
    }
    Restore(const Restore&) = delete;
    Restore& operator=(const Restore&) = delete;

    int run() {
        BackupReader reader{wish_.file, passphrase_};
        manifest_ = reader.manifest();
        check_fits();
        check_release();
        make_private_folder(config_.data_dir);
        lock();
        check_is_the_same();
        check_is_free();
        check_is_movable();
        remove_staged();  // of a restore that was killed
        const WorkFolder work{config_.data_dir / kWorkName, ""};
        work_ = work.path();
        std::error_code ignored;
        work.require_room(fs::file_size(wish_.file, ignored));
        const auto file_of = [this](const BackedUpDatabase& database) {
            return staged(*std::ranges::find(places_, database.name, &DatabasePlace::name));
        };
        {
            ProgressLine progress;
            unpack(reader, work_, file_of, progress);
        }
        try_unpacked(manifest_, work_, file_of);
        for (const auto& place : places_)
            if (place.is_file()) change_file(place);
        stage_keys();
        Interruption::check();  // the last one: what has begun to change comes to its end
        put_in_place();
        wish_.is_json ? report_json() : report();
        return 0;
    }

 private:
    // The databases are the same ones, with the same services in each, on the same engine.
    void check_fits() const {
        for (const auto& place : places_)
            if (!fits(about(place), place, manifest_)) throw StartRefused(differs());
        if (manifest_.databases.size() != places_.size()) throw StartRefused(differs());
    }
    std::string differs() const {
        std::string text = "the backup's databases are not those of this configuration: it has";
        for (const auto& database : manifest_.databases) {
            text += " " + database.name + " (" + database.engine + ": ";
            for (const auto& service : database.services)
                text += (&service == &database.services.front() ? "" : ", ") + service;
            text += ")";
        }
        return text + "; set DATABASE_URL and its siblings as they were";
    }
    const BackedUpDatabase& about(const DatabasePlace& place) const {
        const auto found = std::ranges::find(
            manifest_.databases, place.name, &BackedUpDatabase::name
        );
        if (found == manifest_.databases.end()) throw StartRefused(differs());
        return *found;
    }

    void check_release() const {
        const auto known = known_migrations();
        for (const auto& database : manifest_.databases)
            for (const auto& applied : database.migrations) {
                const auto is_known = [&](const AppliedMigration& other) {
                    return other.service == applied.service && other.name == applied.name;
                };
                if (std::ranges::any_of(known, is_known)) continue;
                throw StartRefused(
                    "the backup is of a newer release, SynapseX " + manifest_.version +
                    ": it has " + applied.name + " of " + applied.service +
                    ", which this program, " + std::string{kVersion} +
                    ", does not know; restore it with that release"
                );
            }
    }

    // Nothing serves from these databases until we are done.
    void lock() {
        for (const auto& place : places_) {
            if (place.is_file()) {
                std::error_code ignored;
                fs::create_directories(place.file.parent_path(), ignored);
                locks_.emplace_back(place.file);
            } else if (ask_psql(place.url, kCountUsers)[0][0] != "0") {
                throw StartRefused(
                    "control planes are connected to " + shown(place) +
                    "; stop all of them first (a pooler lets go of their connections a while later)"
                );
            }
        }
    }

    // What another run left half done is this one's to finish, and nothing else is overwritten.
    void check_is_the_same() const {
        const auto mark = find_restore_mark(config_.data_dir);
        // A release before wrote no databases.
        if (!mark || mark->databases.empty() || mark->databases == list_shown()) return;
        std::string text;
        for (const auto& database : mark->databases) text += " " + database;
        throw StartRefused(
            "the restore that did not come to its end was of other databases:" + text +
            "; set DATABASE_URL and its siblings as they were then"
        );
    }
    std::vector<std::string> list_shown() const {
        std::vector<std::string> all;
        for (const auto& place : places_) all.push_back(shown(place));
        return all;
    }

    void check_is_free() const {
        if (wish_.is_replacing || is_restore_unfinished(config_.data_dir)) return;
        std::string taken;
        if (is_there(issuer_) || !list_key_files(keys_).empty()) taken = config_.data_dir.string();
        for (const auto& place : places_) {
            if (place.is_file() ? is_there(place.file) : has_tables(place)) taken = shown(place);
        }
        if (taken.empty()) return;
        throw StartRefused(
            taken + " is not empty; say --replace to move what is there aside, or choose others "
            "with --data-dir and --database-url"
        );
    }
    static bool has_tables(const DatabasePlace& place) {
        return ask_psql(place.url, kCountTables)[0][0] != "0";
    }

    // What begins to change can come to its end.
    void check_is_movable() const {
        if (is_there(keys_) && !fs::is_directory(keys_))
            throw StartRefused(keys_.string() + " is no directory; move it away");
        for (const auto& file : list_files()) require_movable(file);
    }

    // A file on the disk where it is to be.
    fs::path staged(const DatabasePlace& place) const {
        if (place.is_file()) return staged_of(place.file);
        return work_ / (place.name + ".dump");
    }

    void remove_staged() const {
        std::error_code ignored;
        for (const auto& place : places_)
            if (place.is_file())
                for (const auto& file : with_logs(staged(place))) fs::remove(file, ignored);
        fs::remove(staged_of(issuer_), ignored);
        remove_staged_in(keys_);
    }

    // What must not come back as it was, of the services that are in this database.
    std::string changes_of(const DatabasePlace& place) const {
        std::string sql{leases::kAfterRestore};
        const auto add = [&](
            std::string_view service, std::string_view always, std::string_view asked
        ) {
            if (std::ranges::find(place.services, service) == place.services.end()) return;
            sql += always;
            if (wish_.are_credentials_revoked) sql += asked;
        };
        add("agent_registry", agent_registry::kAfterRestore, agent_registry::kRevokeAfterRestore);
        add("auth", auth::kAfterRestore, auth::kRevokeAfterRestore);
        constexpr std::string_view kNow = "$now";
        const auto now = std::to_string(now_.time_since_epoch().count());
        for (auto at = sql.find(kNow); at != sql.npos; at = sql.find(kNow))
            sql.replace(at, kNow.size(), now);
        return sql;
    }

    void change_file(const DatabasePlace& place) const {
        const auto file = staged(place);
        {
            sqlite::Connection connection{{.path = file, .access = sqlite::Access::read_write}};
            connection.execute("BEGIN;" + changes_of(place) + "COMMIT;");
            connection.pragma("wal_checkpoint(TRUNCATE)");
        }
        sync(file);
    }

    void stage_keys() {
        make_private_folder(keys_);
        for (const auto& file : list_key_files(key_directory(work_))) {
            const auto key = keys_ / file.filename();
            require_movable(key);
            copy_to_disk(file, staged_of(key));
            restored_.push_back(key);
        }
        copy_to_disk(issuer_path(work_), staged_of(issuer_));
        restored_.push_back(issuer_);
    }

    // Every file that may be there and would be moved.
    std::vector<fs::path> list_files() const {
        std::vector<fs::path> files;
        for (const auto& place : places_)
            if (place.is_file())
                std::ranges::move(with_logs(place.file), std::back_inserter(files));
        std::ranges::move(list_key_files(keys_), std::back_inserter(files));
        files.push_back(issuer_);
        return files;
    }
    RestoreMark new_mark() const {
        RestoreMark mark{"before-restore-" + compact(now_), list_shown(), {}};
        for (const auto& file : list_files())
            if (is_there(file)) mark.former.push_back(file.string());
        for (const auto& place : places_)
            if (!place.is_file() && has_tables(place)) mark.former.push_back(shown(place));
        return mark;
    }

    // From here on things change. PostgreSQL first: what it refuses is undone, and then nothing has
    // changed yet. What a run before this one has begun goes on by its mark.
    void put_in_place() {
        const auto found = find_restore_mark(config_.data_dir);
        is_changed_ = found.has_value();
        mark_ = found && !found->databases.empty() ? *found : new_mark();
        mark_restore(config_.data_dir, mark_);
        try {
            for (const auto& place : places_)
                if (!place.is_file()) fill(place);
        } catch (...) {
            if (!is_changed_) unmark_restore(config_.data_dir);
            throw;
        }
        for (const auto& file : list_former_files()) set_aside(file, mark_.aside);
        sync_folders();
        look_at_authority();
        for (const auto& place : places_)
            if (place.is_file()) put_file(place);
        for (const auto& file : restored_) move(staged_of(file), file);
        sync_folders();
        unmark_restore(config_.data_dir);
    }
    std::vector<fs::path> list_former_files() const {
        std::vector<fs::path> files;
        for (const auto& former : mark_.former)
            if (former.starts_with('/')) files.emplace_back(former);
        return files;
    }
    bool was_there(const DatabasePlace& place) const {
        return std::ranges::find(mark_.former, shown(place)) != mark_.former.end();
    }
    // What lies there then is of the backup, from a run that was killed.
    void put_file(const DatabasePlace& place) const {
        std::error_code ignored;
        for (const auto& file : with_logs(place.file))
            if (file != place.file) fs::remove(file, ignored);
        move(staged(place), place.file);
    }
    void sync_folders() const {
        sync(config_.data_dir);
        sync(keys_);
        for (const auto& place : places_)
            if (place.is_file()) sync(place.file.parent_path());
    }

    // In one transaction, with what is moved aside and what must not come back.
    void fill(const DatabasePlace& place) {
        const auto environment = db::client_environment(place.url);
        ChildProgram psql{
            {"psql", "-Xq", "--no-password", "-v", "ON_ERROR_STOP=1", "-f", "-"}, environment,
            ChildProgram::Pipes::in
        };
        std::string start = "SET client_min_messages = warning; BEGIN;\n";
        const bool is_former = was_there(place) && !has_schema_aside(place);
        if (is_former)
            start += "ALTER SCHEMA public RENAME TO " + schema_aside() +
                     "; CREATE SCHEMA public;\n";
        else if (has_tables(place))  // the backup's, of a run before this one
            start += "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n";
        start += db::kPrepareDatabase;
        psql.write(start);
        ChildProgram pg_restore{
            {"pg_restore", "--no-owner", "--enable-row-security", "-f", "-",
             staged(place).string()},
            environment, ChildProgram::Pipes::out
        };
        pg_restore.read([&](std::string_view piece) { psql.write(piece); });
        pg_restore.finish();
        // Without this end, whatever happened, psql undoes all of it. With it, nobody knows until
        // psql says so, and the mark stays.
        is_changed_ |= psql.write(
            "SET LOCAL row_security = on; SET LOCAL ROLE synapsex_system;\n"
            "SET LOCAL search_path = public;\n" +
            changes_of(place) + "\nCOMMIT;\n"
        );
        psql.finish();
    }
    std::string schema_aside() const {
        auto name = mark_.aside;
        std::ranges::replace(name, '-', '_');
        return name;
    }
    bool has_schema_aside(const DatabasePlace& place) const {
        const auto rows = ask_psql(
            place.url, "SELECT count(*) FROM pg_namespace WHERE nspname = '" + schema_aside() + "'"
        );
        return rows[0][0] != "0";
    }

    // What was there before, where it is now.
    std::vector<std::string> list_aside() const {
        std::vector<std::string> all;
        for (const auto& place : places_)
            if (!place.is_file() && was_there(place))
                all.push_back("schema " + schema_aside() + " of " + shown(place));
        for (const auto& file : list_former_files())
            if (!is_log(file.native())) all.push_back(aside_of(file, mark_.aside).string());
        return all;
    }

    // Agents that pinned the one that is moved aside do not know that of the backup.
    void look_at_authority() {
        const auto aside = aside_of(authority_path(issuer_.parent_path()), mark_.aside);
        const auto before = crypto::Authority::load(aside);
        const auto restored = crypto::Authority::load(authority_path(work_));
        if (!before || !restored || before->pin() == restored->pin()) return;
        other_authority_ = before->pin();
        other_authority_file_ = aside;
    }

    void report() const;
    void report_json() const;

    const Config& config_;
    const RestoreWish& wish_;
    SystemClock clock_;
    const Timestamp now_ = clock_.now();
    const fs::path keys_ = key_directory(fs::absolute(config_.data_dir));
    const fs::path issuer_ = issuer_path(fs::absolute(config_.data_dir));
    const std::string passphrase_;
    const std::vector<DatabasePlace> places_;
    BackupManifest manifest_;
    std::list<db::FileLock> locks_;
    fs::path work_;
    RestoreMark mark_;                // of the first run, where this one finishes it
    std::vector<fs::path> restored_;  // keys and issuer: where they are to be
    std::string other_authority_;  // the pin of that which was here; empty: the same, or none
    fs::path other_authority_file_;
    bool is_changed_ = false;
};

void Restore::report() const {
    std::printf(
        "Restored the backup of %s (SynapseX %s).\n", manifest_.created_at.c_str(),
        manifest_.version.c_str()
    );
    for (const auto& place : places_)
        std::printf("  database  %s: %s\n", place.name.c_str(), shown(place).c_str());
    for (const auto& key : manifest_.keys)
        std::printf("  key       %s %s\n", key.name.c_str(), key.key_id.c_str());
    for (const auto& path : list_aside()) std::printf("  aside     %s\n", path.c_str());
    if (!other_authority_.empty())
        std::printf(
            "THE AUTHORITY IS ANOTHER than the one that was here, %s.\n"
            "Agents that pin that one refuse this server (net.tls_authority). If its key can be\n"
            "trusted, put it back before you start:\n"
            "  mv %s %s\n",
            other_authority_.c_str(), other_authority_file_.c_str(),
            authority_path(config_.data_dir).c_str()
        );
    std::printf(
        "What was changed after the backup is gone, and what was taken away is back:\n"
        "- Everybody has to sign in again. Passwords and members are those of the backup.\n"
        "- %s\n"
        "- Tokens that agents were given before now work until they expire, 15 minutes at most.\n"
        "- Agents go on by themselves. One that was enrolled after the backup is refused with\n"
        "  auth.unknown_key: give it a new enrollment token. One that was removed after the\n"
        "  backup is back.\n"
        "Next: start the control plane, look at /readyz, revoke again what was revoked.\n",
        wish_.are_credentials_revoked
            ? "All API keys and enrollment tokens of the backup are revoked: make new ones."
            : "API keys and enrollment tokens that were revoked after the backup WORK AGAIN.\n"
              "  Revoke them again, or restore with --revoke-credentials, which revokes all."
    );
}

void Restore::report_json() const {
    const boost::json::object all{
        {"file", wish_.file.string()},
        {"version", manifest_.version},
        {"createdAt", manifest_.created_at},
        {"keys", json_of(manifest_.keys)},
        {"aside", boost::json::value_from(list_aside())},
        {"credentialsRevoked", wish_.are_credentials_revoked},
        {"formerAuthority", other_authority_},
    };
    std::printf("%s\n", boost::json::serialize(all).c_str());
}

}  // namespace

int restore(const Config& config, const RestoreWish& wish) {
    const Interruption interruption;
    return Restore{config, wish}.run();
}

}  // namespace synapsex::app

#include "shared/sqlite/snapshot.hpp"

#include <sqlite3.h>

#include <charconv>

#include "shared/sqlite/connection.hpp"

namespace synapsex::sqlite {

namespace {

constexpr int kPagesInStep = 2048;
constexpr std::chrono::seconds kPatience{10};

std::int64_t number_of(const std::string& text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace

void Connection::copy_from(Connection& source, const CopyProgress& progress) {
    sqlite3_backup* backup = sqlite3_backup_init(handle_, "main", source.handle_, "main");
    if (backup == nullptr) fail(sqlite3_extended_errcode(handle_));
    int code = SQLITE_OK;
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(backup, kPagesInStep);
        const std::int64_t all = sqlite3_backup_pagecount(backup);
        if (progress) progress(all - sqlite3_backup_remaining(backup), all);
    }
    const int finished = sqlite3_backup_finish(backup);
    if (finished != SQLITE_OK) fail(finished);
    if (code != SQLITE_DONE) throw Error{code, sqlite3_errstr(code)};
}

Snapshot copy_snapshot(
    const std::filesystem::path& from, const std::filesystem::path& to, const CopyProgress& progress
) {
    Connection source{
        {.path = from.string(), .access = Access::query_only, .busy_timeout = kPatience}
    };
    Connection copy{{.path = to.string(), .access = Access::create}};
    // Whole or nobody's: who asks for it removes what a crash left.
    copy.pragma("journal_mode = OFF");
    copy.pragma("synchronous = FULL");
    // A backup restarts when its source changes. The snapshot of this transaction does not.
    source.execute("BEGIN; SELECT count(*) FROM sqlite_schema");
    copy.copy_from(source, progress);
    const Snapshot snapshot{
        number_of(source.pragma("page_count")), number_of(source.pragma("page_size"))
    };
    source.execute("COMMIT");
    return snapshot;
}

std::string check_integrity(const std::filesystem::path& file) {
    Connection connection{{.path = file.string(), .access = Access::query_only}};
    const auto found = connection.pragma("integrity_check(1)");
    if (found != "ok") return found;
    const auto broken = connection.pragma("foreign_key_check");
    return broken.empty() ? found : "rows of table " + broken + " refer to rows that are not there";
}

}  // namespace synapsex::sqlite

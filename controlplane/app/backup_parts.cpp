#include "controlplane/app/backup_parts.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/app/child_program.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/interruption.hpp"
#include "controlplane/app/start_refused.hpp"
#include "controlplane/platform/db/database_url.hpp"
#include "controlplane/platform/db/postgres/client_environment.hpp"
#include "shared/crypto/authority.hpp"
#include "shared/crypto/file_key_store.hpp"

namespace synapsex::app {

namespace fs = std::filesystem;

namespace {

// Below a twentieth of a disk, of which 100 GiB count, serve leaves out telemetry: a backup is no
// reason for that.
constexpr std::uint64_t kCountedBytesMax = 100ULL << 30U;
constexpr std::uint64_t kShareLeft = 20;
constexpr std::uint64_t kMegabyte = 1'000'000;
constexpr std::chrono::milliseconds kShowEvery{250};

std::string last_error() { return std::generic_category().message(errno); }

bool is_within(const fs::path& file, const fs::path& folder) {
    const auto inner = fs::weakly_canonical(fs::absolute(file)).parent_path();
    const auto outer = fs::weakly_canonical(fs::absolute(folder));
    return std::ranges::mismatch(outer, inner).in1 == outer.end();
}

DatabasePlace place_of(const Config& config, const std::string& service) {
    const auto options = db::parse_database_url(config.database_url_of(service));
    if (!options) throw StartRefused("database of " + service + ": " + options.error().detail);
    const std::string name = config.service_database_urls.contains(service) ? service : "main";
    if (const auto* sqlite = std::get_if<db::SqliteOptions>(&*options))
        return {.name = name, .services = {}, .file = db::resolve_path(sqlite->path)};
    return {.name = name, .services = {}, .url = config.database_listen_url_of(service)};
}

}  // namespace

std::vector<DatabasePlace> list_places(const Config& config) {
    std::vector<DatabasePlace> places;
    for (const auto service : services_with_tables()) {
        auto place = place_of(config, std::string{service});
        const auto is_same = [&](const DatabasePlace& other) {
            return other.file == place.file && other.url == place.url;
        };
        auto found = std::ranges::find_if(places, is_same);
        if (found == places.end()) found = places.insert(places.end(), std::move(place));
        found->services.emplace_back(service);
    }
    return places;
}

bool fits(
    const BackedUpDatabase& database, const DatabasePlace& place, const BackupManifest& manifest
) {
    auto services = place.services;
    std::erase_if(services, [&](const std::string& service) {
        return std::ranges::none_of(manifest.databases, [&](const BackedUpDatabase& each) {
            return std::ranges::find(each.services, service) != each.services.end();
        });
    });
    return database.engine == place.engine() && database.services == services;
}

std::string shown(const DatabasePlace& place) {
    return place.is_file() ? place.file.string() : without_password(place.url);
}

std::string load_passphrase(
    const fs::path& passphrase, const fs::path& backup, const fs::path& data_dir
) {
    const auto folder = fs::absolute(backup).parent_path();
    for (const auto& beside : {folder, fs::absolute(data_dir)})
        if (is_within(passphrase, beside))
            throw StartRefused(
                "the passphrase file " + passphrase.string() + " is in " + beside.string() +
                ": who takes one takes the other; keep it elsewhere, and a copy off this machine"
            );
    auto text = crypto::read_passphrase(passphrase);
    if (!text) throw StartRefused(text.error().detail);
    return *std::move(text);
}

std::vector<BackedUpKey> list_key_ids(const fs::path& data_dir) {
    SystemRandom random;
    const crypto::FileKeyStore keys{key_directory(data_dir), random};
    const auto root = keys.get_root_key();
    if (!root) throw StartRefused(root.error().detail);
    const auto authority = load_authority(data_dir);
    const auto signing = keys.list();
    if (!signing) throw StartRefused(signing.error().detail);
    std::vector<BackedUpKey> ids{{"root", root->key_id()}, {"authority", authority.pin()}};
    for (const auto& [name, published] : *signing)
        for (const auto& key : published) ids.push_back({name, key.key_id});
    return ids;
}

std::vector<std::vector<std::string>> ask_psql(const std::string& url, const std::string& sql) {
    ChildProgram psql{
        {"psql", "-XqAt", "--no-password", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql},
        db::client_environment(url), ChildProgram::Pipes::out
    };
    const auto text = psql.read();
    psql.finish();
    std::vector<std::vector<std::string>> rows;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        auto& row = rows.emplace_back(1);
        for (const char c : std::string_view{text}.substr(at, end - at)) {
            if (c == '\t') row.emplace_back();
            else row.back() += c;
        }
        at = end + 1;
    }
    return rows;
}

WorkFolder::WorkFolder(fs::path path, std::string where_else)
    : path_(std::move(path)), where_else_(std::move(where_else)) {
    if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST)
        throw StartRefused("cannot make " + path_.string() + ": " + last_error());
    lock_ = Descriptor{::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    struct stat status{};
    if (!lock_.is_open() || ::fstat(lock_.number(), &status) != 0)
        throw StartRefused("cannot open " + path_.string() + ": " + last_error());
    if (status.st_uid != ::geteuid() || (status.st_mode & 077) != 0)
        throw StartRefused(
            path_.string() + " is another user's, or open to others; remove it" + where_else_
        );
    if (::flock(lock_.number(), LOCK_EX | LOCK_NB) != 0)
        throw StartRefused("another backup or restore is at work in " + path_.string());
    clear();
}

WorkFolder::~WorkFolder() {
    clear();
    ::rmdir(path_.c_str());
}

void WorkFolder::clear() {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{path_, ignored})
        fs::remove_all(entry.path(), ignored);
}

void WorkFolder::require_room(std::uint64_t bytes) const {
    std::error_code error;
    const auto space = fs::space(path_, error);
    const auto left = std::min<std::uint64_t>(space.capacity, kCountedBytesMax) / kShareLeft;
    if (error || space.available >= bytes + left) return;
    throw StartRefused(
        "the disk of " + path_.string() + " has " + std::to_string(space.available / kMegabyte) +
        " MB free; a copy takes " + std::to_string(bytes / kMegabyte) + " MB for a while, and " +
        std::to_string(left / kMegabyte) + " MB have to be left; make room" + where_else_
    );
}

ProgressLine::ProgressLine() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressLine::clear() {
    if (is_terminal_ && shown_at_ != SteadyTime{}) std::fputs("\r\033[K", stderr);
    shown_at_ = {};
}

void ProgressLine::show(std::string_view what, std::uint64_t done, std::uint64_t all) {
    if (!is_terminal_) return;
    const auto now = SystemClock{}.steady_now();
    if (now - shown_at_ < kShowEvery) return;
    shown_at_ = now;
    const auto of_all = all == 0 ? "" : " of " + std::to_string(all / kMegabyte);
    std::fprintf(
        stderr, "\r\033[K%.*s: %llu%s MB", static_cast<int>(what.size()), what.data(),
        static_cast<unsigned long long>(done / kMegabyte), of_all.c_str()
    );
}

NewFile::NewFile(fs::path path)
    : path_(std::move(path)),
      file_(::open(
          path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600
      )) {
    if (!file_.is_open() || ::fchmod(file_.number(), 0600) != 0) fail();
}

void NewFile::write(std::string_view bytes) {
    Interruption::check();
    if (!write_all(file_.number(), bytes)) fail();
}

void NewFile::finish() {
    if (::fsync(file_.number()) != 0 || !file_.close()) fail();
}

void NewFile::fail() const {
    throw StartRefused("cannot write " + path_.string() + ": " + last_error());
}

boost::json::array json_of(const std::vector<BackedUpKey>& keys) {
    boost::json::array list;
    for (const auto& key : keys) list.push_back({{"name", key.name}, {"keyId", key.key_id}});
    return list;
}

}  // namespace synapsex::app

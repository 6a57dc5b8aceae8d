#include "tests/support/crash_vfs.hpp"

#include <sqlite3.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

namespace synapsex::testing {

namespace {

constexpr std::size_t kSectorBytes = 512;

// A write, or the cut to a size.
struct Change {
    bool is_truncation;
    std::size_t offset;  // of a truncation: the size
    std::string bytes;
};

// A file as the platter and as the cache have it.
struct FileState {
    bool is_safe = false;  // it is there after a power cut
    bool is_deleted = false;
    bool syncs_folder = false;  // with its first sync, as SQLite does for new journals
    std::string safe{};
    std::vector<Change> unsynced{};
};

void apply(std::string& content, const Change& change, std::size_t bytes_max = std::string::npos) {
    if (change.is_truncation) return content.resize(change.offset);
    const auto bytes = std::string_view{change.bytes}.substr(0, bytes_max);
    if (bytes.empty()) return;
    if (content.size() < change.offset + bytes.size())
        content.resize(change.offset + bytes.size());
    content.replace(change.offset, bytes.size(), bytes);
}

// So many bytes of the write that it ends between two sectors of the disk.
std::size_t tear(const Change& change, Random& random) {
    const auto first = change.offset / kSectorBytes;
    const auto last = (change.offset + change.bytes.size()) / kSectorBytes;
    const auto end = (first + random.below(last - first + 1)) * kSectorBytes;
    return end > change.offset ? end - change.offset : 0;
}

std::string remains_of(const FileState& file, Loss loss, Random& random) {
    auto content = file.safe;
    if (loss == Loss::all) return content;
    if (loss == Loss::some) {
        for (const auto& change : file.unsynced)
            if (random.below(2) == 1) apply(content, change);
        return content;
    }
    const auto kept = random.below(file.unsynced.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) apply(content, file.unsynced[i]);
    if (kept < file.unsynced.size() && !file.unsynced[kept].is_truncation)
        apply(content, file.unsynced[kept], tear(file.unsynced[kept], random));
    return content;
}

std::string read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

class CrashVfs::Disk {
 public:
    Disk();
    ~Disk() { sqlite3_vfs_unregister(&vfs); }
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;

    // What becomes of the next operation: SQLITE_OK, or the code that it fails with.
    int next(int io_error, int full) {
        ++operations;
        const auto planned = faults.find(operations);
        if (planned != faults.end() && planned->second == Fault::power_cut) is_dark = true;
        if (is_dark) return io_error;
        if (planned == faults.end()) return SQLITE_OK;
        return planned->second == Fault::full_disk ? full : io_error;
    }

    sqlite3_vfs* const real = sqlite3_vfs_find(nullptr);
    const std::string name;
    sqlite3_vfs vfs;
    mutable std::mutex mutex;
    std::map<std::string, FileState> files;  // by path
    std::map<std::uint64_t, Fault> faults;
    std::uint64_t operations = 0;
    std::atomic<bool> is_dark = false;
};

namespace {

// What SQLite sees as the file; the system's own follows it in memory.
struct CrashFile {
    sqlite3_file base;
    CrashVfs::Disk* disk;
    FileState* state;  // null: a temporary file, gone after a power cut
};

CrashFile& ours(sqlite3_file* file) { return *reinterpret_cast<CrashFile*>(file); }
sqlite3_file* real(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(&ours(file) + 1);
}
CrashVfs::Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<CrashVfs::Disk*>(vfs->pAppData); }

int close_file(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }

int read_from(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
    if (ours(file).disk->is_dark) return SQLITE_IOERR_READ;
    return real(file)->pMethods->xRead(real(file), to, size, offset);
}

int write_to(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
    auto& [base, disk, state] = ours(file);
    if (state) {
        const std::lock_guard lock{disk->mutex};
        const bool was_dark = disk->is_dark;
        const int code = disk->next(SQLITE_IOERR_WRITE, SQLITE_FULL);
        const std::string bytes{static_cast<const char*>(from), static_cast<std::size_t>(size)};
        // The write during which the power goes may reach the disk.
        if (code == SQLITE_OK || (disk->is_dark && !was_dark))
            state->unsynced.push_back({false, static_cast<std::size_t>(offset), bytes});
        if (code != SQLITE_OK) return code;
    }
    return real(file)->pMethods->xWrite(real(file), from, size, offset);
}

int truncate_to(sqlite3_file* file, sqlite3_int64 size) {
    auto& [base, disk, state] = ours(file);
    if (state) {
        const std::lock_guard lock{disk->mutex};
        const int code = disk->next(SQLITE_IOERR_TRUNCATE, SQLITE_OK);
        if (code != SQLITE_OK) return code;
        state->unsynced.push_back({true, static_cast<std::size_t>(size), {}});
    }
    return real(file)->pMethods->xTruncate(real(file), size);
}

// The system's sync is not called: its files are thrown away.
int sync_file(sqlite3_file* file, int) {
    auto& [base, disk, state] = ours(file);
    if (!state) return SQLITE_OK;
    const std::lock_guard lock{disk->mutex};
    const int code = disk->next(SQLITE_IOERR_FSYNC, SQLITE_IOERR_FSYNC);
    if (code != SQLITE_OK) return code;
    for (const auto& change : state->unsynced) apply(state->safe, change);
    state->unsynced.clear();
    state->is_safe = true;
    if (!std::exchange(state->syncs_folder, false)) return SQLITE_OK;
    for (auto& [path, other] : disk->files)
        if (other.is_deleted) other = FileState{.is_deleted = true};
    return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
    if (ours(file).disk->is_dark) return SQLITE_IOERR_FSTAT;
    return real(file)->pMethods->xFileSize(real(file), size);
}

const sqlite3_io_methods kMethods{
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_from,
    .xWrite = write_to,
    .xTruncate = truncate_to,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); },
    .xUnlock =
        [](sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); },
    .xCheckReservedLock =
        [](sqlite3_file* f, int* is_held) {
            return real(f)->pMethods->xCheckReservedLock(real(f), is_held);
        },
    .xFileControl =
        [](sqlite3_file* f, int what, void* value) {
            return real(f)->pMethods->xFileControl(real(f), what, value);
        },
    .xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
    .xDeviceCharacteristics =
        [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); },
    .xShmMap =
        [](sqlite3_file* f, int region, int size, int extends, void volatile** memory) {
            return real(f)->pMethods->xShmMap(real(f), region, size, extends, memory);
        },
    .xShmLock =
        [](sqlite3_file* f, int offset, int count, int flags) {
            return real(f)->pMethods->xShmLock(real(f), offset, count, flags);
        },
    .xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); },
    .xShmUnmap =
        [](sqlite3_file* f, int deletes) { return real(f)->pMethods->xShmUnmap(real(f), deletes); },
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    auto& disk = disk_of(vfs);
    ours(file) = {{nullptr}, &disk, nullptr};
    if (disk.is_dark) return SQLITE_CANTOPEN;
    const bool was_there = name && std::filesystem::exists(name);
    const int code = disk.real->xOpen(disk.real, name, real(file), flags, out_flags);
    if (code != SQLITE_OK) return code;
    ours(file).base.pMethods = &kMethods;
    if (!name) return SQLITE_OK;
    const std::lock_guard lock{disk.mutex};
    const auto [found, is_new] = disk.files.try_emplace(name);
    auto& state = found->second;
    if (state.is_deleted || is_new) {
        state = {};
        state.syncs_folder = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    }
    if (is_new && was_there) {
        state.is_safe = true;
        state.safe = read_file(name);
    }
    ours(file).state = &state;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int syncs_folder) {
    auto& disk = disk_of(vfs);
    const std::lock_guard lock{disk.mutex};
    const int code = disk.next(SQLITE_IOERR_DELETE, SQLITE_OK);
    if (code != SQLITE_OK) return code;
    const auto found = disk.files.find(name);
    if (found != disk.files.end()) {
        found->second.is_deleted = true;
        if (syncs_folder) found->second = FileState{.is_deleted = true};
    }
    return disk.real->xDelete(disk.real, name, 0);
}

std::string fresh_name() {
    static std::atomic<int> made{0};
    return "crash-" + std::to_string(++made);
}

}  // namespace

CrashVfs::Disk::Disk() : name(fresh_name()), vfs(*real) {
    vfs.szOsFile = static_cast<int>(sizeof(CrashFile)) + real->szOsFile;
    vfs.pNext = nullptr;
    vfs.zName = name.c_str();
    vfs.pAppData = this;
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        throw std::runtime_error("SQLite takes no VFS more");
}

CrashVfs::CrashVfs() : disk_(std::make_unique<Disk>()) {}
CrashVfs::~CrashVfs() = default;

const std::string& CrashVfs::name() const { return disk_->name; }

std::uint64_t CrashVfs::operations() const {
    const std::lock_guard lock{disk_->mutex};
    return disk_->operations;
}

void CrashVfs::plan(std::uint64_t operation, Fault fault) {
    const std::lock_guard lock{disk_->mutex};
    disk_->faults[operation] = fault;
}

bool CrashVfs::has_lost_power() const { return disk_->is_dark; }

void CrashVfs::leave_remains(
    const std::filesystem::path& folder, Loss loss, Random& random
) const {
    std::filesystem::create_directories(folder);
    const std::lock_guard lock{disk_->mutex};
    for (const auto& [path, file] : disk_->files) {
        const bool is_undeleted = loss == Loss::all || random.below(2) == 1;
        const bool is_named = loss != Loss::all && random.below(2) == 1 && !file.is_deleted;
        if (file.is_deleted && !(file.is_safe && is_undeleted)) continue;
        if (!file.is_safe && !is_named) continue;
        const auto name = std::filesystem::path{path}.filename();
        std::ofstream{folder / name, std::ios::binary} << remains_of(file, loss, random);
    }
}

}  // namespace synapsex::testing

#include "controlplane/app/backup_archive.hpp"
#include "controlplane/app/interruption.hpp"
#include "controlplane/app/start_refused.hpp"

#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>


namespace synapsex::app {

namespace {

constexpr int kNameSize = 2;
constexpr int kBlockSize = 4;
constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kBlockBytesMax = 1024 * 1024;
constexpr std::size_t kSmallBytesMax = 4 * 1024 * 1024;
constexpr std::string_view kManifest = "manifest";
constexpr const char* kNoBackup = "it is sealed, and is no backup that this program can read";

std::filesystem::path part_of(std::filesystem::path file) { return file += ".part"; }

std::string last_error() { return std::generic_category().message(errno); }

// Alone: two that write the same file at once would mix.
Descriptor open_part(const std::filesystem::path& part) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    Descriptor file{::open(part.c_str(), kFlags, 0600)};
    if (!file.is_open())
        throw StartRefused("cannot write " + part.string() + ": " + last_error());
    struct stat locked{};
    struct stat named{};
    // The one that had it may have renamed it to its place since it was opened.
    if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0 || ::fstat(file.number(), &locked) != 0 ||
        ::lstat(part.c_str(), &named) != 0 || locked.st_ino != named.st_ino)
        throw StartRefused("another backup writes " + part.string() + " at this moment");
    if (::fchmod(file.number(), 0600) != 0 || ::ftruncate(file.number(), 0) != 0)
        throw StartRefused("cannot write " + part.string() + ": " + last_error());
    return file;
}

}  // namespace

BackupWriter::BackupWriter(
    std::filesystem::path file, std::string_view passphrase, Random& random
)
    : file_(std::move(file)),
      part_(part_of(file_)),
      descriptor_(open_part(part_)),
      sealer_(passphrase, random, [this](std::string_view bytes) {
          if (!write_all(descriptor_.number(), bytes))
              throw StartRefused("cannot write " + part_.string() + ": " + last_error());
          bytes_ += bytes.size();
      }) {}

BackupWriter::~BackupWriter() {
    if (!is_finished_) ::unlink(part_.c_str());
}

void BackupWriter::write_number(std::uint64_t number, int size) {
    std::string bytes;
    for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(number >> (8 * i));
    sealer_.write(bytes);
}

void BackupWriter::begin(std::string_view name) {
    write_number(name.size(), kNameSize);
    sealer_.write(name);
}

void BackupWriter::write(std::string_view bytes) {
    Interruption::check();
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kBlockBytesMax))) {
        const auto block = bytes.substr(0, kBlockBytesMax);
        write_number(block.size(), kBlockSize);
        sealer_.write(block);
    }
}

void BackupWriter::end() { write_number(0, kBlockSize); }

void BackupWriter::put(std::string_view name, std::string_view content) {
    begin(name);
    write(content);
    end();
}

void BackupWriter::put(const BackupManifest& manifest) {
    put(kManifest, boost::json::serialize(boost::json::value_from(manifest)));
}

void BackupWriter::finish() {
    write_number(0, kNameSize);
    sealer_.finish();
    const auto folder = file_.has_parent_path() ? file_.parent_path() : ".";
    if (::fsync(descriptor_.number()) != 0 || ::rename(part_.c_str(), file_.c_str()) != 0 ||
        !sync_folder(folder))
        throw StartRefused("cannot write " + file_.string() + ": " + last_error());
    is_finished_ = true;
}

// What the stream or its content refuses, with the file's name.
template <class Fn>
auto BackupReader::guarded(const Fn& fn) {
    try {
        return fn();
    } catch (const crypto::StreamRefused& refused) {
        throw BackupUnreadable(
            file_.string() + ": " + refused.what() + ". Nothing was restored from it."
        );
    }
}

BackupReader::BackupReader(const std::filesystem::path& file, std::string_view passphrase)
    : file_(file), descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (!descriptor_.is_open())
        throw BackupUnreadable("cannot read " + file.string() + ": " + last_error());
    const auto source = [this](std::span<char> bytes) {
        std::size_t done = 0;
        while (done < bytes.size()) {
            const auto count =
                ::read(descriptor_.number(), bytes.data() + done, bytes.size() - done);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0)
                throw BackupUnreadable("cannot read " + file_.string() + ": " + last_error());
            if (count == 0) break;
            done += static_cast<std::size_t>(count);
        }
        return done;
    };
    guarded([&] { opener_ = std::make_unique<crypto::StreamOpener>(passphrase, source); });
    const auto no_backup = [&] { return BackupUnreadable(file_.string() + ": " + kNoBackup); };
    if (next() != kManifest) throw no_backup();
    try {
        manifest_ = boost::json::value_to<BackupManifest>(boost::json::parse(read()));
    } catch (const boost::system::system_error&) {
        throw no_backup();
    }
    if (manifest_.format != BackupManifest{}.format)
        throw BackupUnreadable(
            file_.string() + ": SynapseX " + manifest_.version +
            " wrote it in a form that this program does not know; restore it with that release"
        );
}

std::string BackupReader::read_exactly(std::size_t size) {
    std::string bytes(size, '\0');
    const auto read = guarded([&] { return opener_->read(bytes); });
    if (read < size) throw BackupUnreadable(file_.string() + ": " + kNoBackup);
    return bytes;
}

std::uint64_t BackupReader::read_number(int size) {
    std::uint64_t number = 0;
    for (const char c : read_exactly(static_cast<std::size_t>(size)))
        number = number << 8 | static_cast<unsigned char>(c);
    return number;
}

std::string BackupReader::next() {
    const auto size = read_number(kNameSize);
    if (size > kNameBytesMax) throw BackupUnreadable(file_.string() + ": " + kNoBackup);
    if (size > 0) return read_exactly(size);
    if (!guarded([&] { return opener_->is_over(); }))
        throw BackupUnreadable(file_.string() + ": " + kNoBackup);
    return {};
}

void BackupReader::read(const Take& take) {
    while (const auto size = read_number(kBlockSize)) {
        if (size > kBlockBytesMax) throw BackupUnreadable(file_.string() + ": " + kNoBackup);
        take(read_exactly(size));
    }
}

std::string BackupReader::read() {
    std::string content;
    read([&](std::string_view piece) {
        content += piece;
        if (content.size() > kSmallBytesMax)
            throw BackupUnreadable(file_.string() + ": " + kNoBackup);
    });
    return content;
}

}  // namespace synapsex::app

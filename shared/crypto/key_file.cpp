#include "shared/crypto/key_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/descriptor.hpp"
#include "shared/base/new_file.hpp"

namespace synapsex::crypto {

namespace {

// The file is as it should be for all that is known: the machine cannot read it now.
Problem unavailable(const std::filesystem::path& path, int error) {
    return {
        Kind::internal, "crypto.key_unavailable", path.string() + ": " + std::strerror(error)
    };
}

Problem not_opened(const std::filesystem::path& path) {
    switch (errno) {
    case ENOENT:
        return {Kind::internal, std::string{kKeyMissing}, path.string() + ": it is not there"};
    case ELOOP:
        return key_unreadable(path, "it is a symbolic link; put the file itself there");
    case EACCES:
        return key_unreadable(path, std::strerror(EACCES));
    default:
        return unavailable(path, errno);
    }
}

// Asked of the open file, so that nobody can put another one there in between.
Result<Done> check_is_ours_alone(const std::filesystem::path& path, const Descriptor& file) {
    struct stat status{};
    if (::fstat(file.number(), &status) != 0) return unavailable(path, errno);
    if (!S_ISREG(status.st_mode)) return key_unreadable(path, "it is no regular file");
    if (status.st_uid != ::geteuid())
        return key_unreadable(
            path, "it belongs to user " + std::to_string(status.st_uid) + "; chown it to user " +
                      std::to_string(::geteuid()) + ", who reads it"
        );
    if ((status.st_mode & 077) != 0)
        return key_unreadable(path, "others than the owner may read it; chmod 600 it");
    return Done{};
}

}  // namespace

Problem key_unreadable(const std::filesystem::path& path, const std::string& why) {
    return {Kind::internal, "crypto.key_unreadable", path.string() + ": " + why};
}

Result<std::string> read_key_file(const std::filesystem::path& path, std::size_t bytes_max) {
    // Nonblocking: a pipe of that name must not hold the start up.
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    if (!file.is_open()) return not_opened(path);
    SYNAPSEX_CHECK(check_is_ours_alone(path, file));
    std::string content(bytes_max + 1, '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        const auto count = ::read(file.number(), content.data() + size, content.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return unavailable(path, errno);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    if (size > bytes_max) return key_unreadable(path, "it is too large to be a key");
    content.resize(size);
    return content;
}

Result<Done> make_key_file(const std::filesystem::path& path, std::string_view content) {
    const auto failure = make_new_file(path, content);
    if (!failure) return Done{};
    if (failure == std::errc::file_exists)
        return Problem{
            Kind::internal, std::string{kKeyExists}, path.string() + ": it is there already"
        };
    return Problem{
        Kind::internal, "crypto.key_unwritable", path.string() + ": " + failure.message()
    };
}

Result<Done> replace_key_file(const std::filesystem::path& path, std::string_view content) {
    const auto unwritable = [&](const std::string& why) {
        return Problem{Kind::internal, "crypto.key_unwritable", path.string() + ": " + why};
    };
    auto aside = path;
    aside += ".next";
    std::error_code failure;
    std::filesystem::remove(aside, failure);  // of one that was killed here
    if (failure) return unwritable(failure.message());
    SYNAPSEX_CHECK(make_key_file(aside, content));
    std::filesystem::rename(aside, path, failure);
    if (failure) return unwritable(failure.message());
    if (!sync_folder(path.parent_path())) return unwritable(std::strerror(errno));
    return Done{};
}

}  // namespace synapsex::crypto

#include "agent/app/bundle_file.hpp"

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace synapsex::agent {

namespace {

Problem refused(std::string detail) {
    return {.kind = Kind::invalid, .code = "agent.output_refused", .detail = std::move(detail)};
}

Problem failed(const std::string& what) {
    return {
        .kind = Kind::internal, .code = "agent.output_failed",
        .detail = what + ": " + std::strerror(errno)
    };
}

// Name by name from / or the current directory, so that no link on the way is followed.
Result<Descriptor> open_folder(const std::filesystem::path& path) {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    Descriptor folder{::open(path.is_absolute() ? "/" : ".", kFlags)};
    if (!folder.is_open()) return failed("Cannot open the current directory");
    for (const auto& name : path.relative_path()) {
        if (name.empty() || name == ".") continue;
        Descriptor next{::openat(folder.number(), name.c_str(), kFlags)};
        const bool is_link = errno == ELOOP || errno == ENOTDIR;
        if (!next.is_open() && is_link)
            return refused(
                "'" + name.string() + "' in " + path.string() +
                " is a symbolic link or no directory; name the directory itself."
            );
        if (!next.is_open()) return failed("Cannot open the directory " + path.string());
        folder = std::move(next);
    }
    return folder;
}

Result<Done> check_folder(const Descriptor& folder, const std::filesystem::path& path) {
    struct stat facts {};
    if (::fstat(folder.number(), &facts) != 0) return failed("Cannot look at " + path.string());
    const bool is_shared = (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    if (is_shared && (facts.st_mode & S_ISVTX) == 0)
        return refused(
            "Others may write to " + path.string() +
            ", which has no sticky bit: they could put another file in place of this one. Name "
            "another directory with --output."
        );
    return Done{};
}

}  // namespace

Result<BundleFile> BundleFile::make(const std::filesystem::path& path) {
    if (!path.has_filename() || path.filename() == "." || path.filename() == "..")
        return refused("'" + path.string() + "' names no file.");
    const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    SYNAPSEX_TRY(auto folder, open_folder(parent));
    SYNAPSEX_CHECK(check_folder(folder, parent));
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    Descriptor file{
        ::openat(folder.number(), path.filename().c_str(), kFlags, S_IRUSR | S_IWUSR)
    };
    if (!file.is_open() && errno == EEXIST)
        return refused(path.string() + " exists; it is not written over. Name another file.");
    if (!file.is_open()) return failed("Cannot make " + path.string());
    return BundleFile{path, std::move(folder), std::move(file)};
}

BundleFile::~BundleFile() {
    if (file_.is_open()) ::unlinkat(folder_.number(), path_.filename().c_str(), 0);
}

Result<Done> BundleFile::write(std::string_view bytes) {
    if (!write_all(file_.number(), bytes) || ::fsync(file_.number()) != 0)
        return failed("Cannot write " + path_.string());
    if (!file_.close()) return failed("Cannot write " + path_.string());
    return Done{};
}

}  // namespace synapsex::agent

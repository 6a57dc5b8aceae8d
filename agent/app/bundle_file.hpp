#pragma once

// The file of a support bundle: made by root in places where others write, too.

#include <filesystem>
#include <string_view>

#include "shared/base/result.hpp"
#include "shared/base/descriptor.hpp"

namespace synapsex::agent {

class BundleFile {
 public:
    // Makes it, mode 0600: never over what is there, never through a symbolic link, be it the file
    // or a folder on its way, and in no folder where anybody could put another in its place. Fails
    // with agent.output_refused or agent.output_failed.
    static Result<BundleFile> make(const std::filesystem::path& path);

    // Not written to its end: removed.
    ~BundleFile();
    BundleFile(BundleFile&&) noexcept = default;
    BundleFile& operator=(BundleFile&&) = delete;

    Result<Done> write(std::string_view bytes);

 private:
    BundleFile(std::filesystem::path path, Descriptor folder, Descriptor file)
        : path_(std::move(path)), folder_(std::move(folder)), file_(std::move(file)) {}

    std::filesystem::path path_;
    Descriptor folder_;
    Descriptor file_;  // open until it is whole
};

}  // namespace synapsex::agent

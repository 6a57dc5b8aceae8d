#pragma once

// A file descriptor that is closed when its owner goes, and what has to be done to a file for its
// content to be there after a power cut.

#include <filesystem>
#include <string_view>
#include <utility>

namespace synapsex {

class Descriptor {
 public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() { close(); }
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    bool is_open() const { return number_ >= 0; }
    int number() const { return number_; }
    // False if the system could not: what was written may not be there.
    bool close();

 private:
    int number_ = -1;
};

// Both leave the reason of a failure in errno.
bool write_all(int descriptor, std::string_view content);
// A name in a folder is durable only once the folder is.
bool sync_folder(const std::filesystem::path& folder);

}  // namespace synapsex

#include "shared/base/descriptor.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace synapsex {

bool Descriptor::close() {
    const int number = std::exchange(number_, -1);
    return number < 0 || ::close(number) == 0;
}

bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const auto count = ::write(descriptor, content.data(), content.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        content.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool sync_folder(const std::filesystem::path& folder) {
    const Descriptor file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return file.is_open() && ::fsync(file.number()) == 0;
}

}  // namespace synapsex

#include "controlplane/app/credentials_file.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/app/start_refused.hpp"
#include "shared/base/log.hpp"

namespace synapsex::app {

void write_credentials(
    const std::filesystem::path& file, const std::string& email, const std::string& password,
    std::string_view standing
) {
    std::string json = "{\"email\":";
    append_json_string(json, email);
    json += ",\"password\":";
    append_json_string(json, password);
    json += "}\n";
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool is_written =
        fd >= 0 && ::fchmod(fd, 0600) == 0 &&
        ::write(fd, json.data(), json.size()) == static_cast<ssize_t>(json.size()) &&
        ::fsync(fd) == 0;
    const auto why = std::generic_category().message(errno);
    if (fd >= 0) ::close(fd);
    if (is_written) return;
    if (fd >= 0) remove_credentials(file);
    throw StartRefused(
        "cannot write " + file.string() + ": " + why + "; " + std::string{standing}
    );
}

void remove_credentials(const std::filesystem::path& file) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(file, ignored)) std::filesystem::remove(file, ignored);
}

}  // namespace synapsex::app

#pragma once

// What `init` and `recover-owner` leave for programs: e-mail and password as JSON, mode 0600.

#include <filesystem>
#include <string>
#include <string_view>

namespace synapsex::app {

// Throws StartRefused, which ends with how things stand then.
void write_credentials(
    const std::filesystem::path& file, const std::string& email, const std::string& password,
    std::string_view standing
);
// Nothing but an ordinary file.
void remove_credentials(const std::filesystem::path& file);

}  // namespace synapsex::app

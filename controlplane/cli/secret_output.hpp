#pragma once

// A token or key that the server shows once.

#include <string>
#include <string_view>

#include "controlplane/cli/context.hpp"

namespace synapsex::cli {

// Whether the secret could go into the file; asked before the server makes one. `member` as below.
Result<Done> check_secret_file(std::string_view member, const std::string& file);

// The last answer's document bears `secret` in `member`. Into the file if there is one (mode 0600),
// and then nothing shows it: --json leaves the member out. Else to standard output, alone on its
// line, or inside the document with --json.
Result<Done> show_secret(
    Context& context, std::string_view member, const std::string& secret, const std::string& file
);

}  // namespace synapsex::cli

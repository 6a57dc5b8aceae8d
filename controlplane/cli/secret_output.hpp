#pragma once

// A token or key that the server shows once.

#include <string>

#include "controlplane/cli/context.hpp"

namespace CLI {
class App;
}

namespace synapsex::cli {

// The file that a secret may go to: --token-file, --key-file.
struct SecretFile {
    std::string member;  // of the answer's document, and what people call it: "token", "key"
    std::string path{};  // empty: none
    bool may_replace = false;

    // --MEMBER-file and --force.
    void add_options_to(CLI::App& command);
    // Whether the secret can go there; asked before the server makes one. No file that is there is
    // replaced unasked (cli.file_exists), no folder is made (cli.folder_missing).
    Result<Done> check() const;
};

// The last answer's document has a secret in the file's member, and `secret` takes its place. Into
// the file if there is one (mode 0600), and then nothing shows it: --json leaves the member out.
// Else to standard output, alone on its line, or inside the document with --json.
Result<Done> show_secret(Context& context, const std::string& secret, const SecretFile& file);

}  // namespace synapsex::cli

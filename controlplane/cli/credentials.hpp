#pragma once

// What `synapsexctl login` leaves behind: one JSON object in a private file. Tokens belong to the
// address that gave them and are never sent to another.

#include <boost/describe.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "controlplane/cli/private_file.hpp"
#include "shared/base/result.hpp"

namespace synapsex::cli {

struct Credentials {
    std::string url;
    std::string email;
    std::string access_token{};
    std::string refresh_token{};
    std::string tenant_id{};  // what `tenants use` chose; empty: the user's own
    std::string ca_file{};    // the authorities that this server's certificate is checked against
};
BOOST_DESCRIBE_STRUCT(
    Credentials, (), (url, email, access_token, refresh_token, tenant_id, ca_file)
)

class CredentialsFile {
 public:
    explicit CredentialsFile(std::filesystem::path path) : path_(std::move(path)) {}

    const std::filesystem::path& path() const { return path_; }
    // Where the operator's trust root is that goes with this sign-in, and stays when it ends:
    // "credentials.json" has "credentials.trust".
    std::filesystem::path trust_folder() const;
    // Nothing when nobody is signed in. Fails as read_private_file does, and with
    // cli.credentials_invalid for what is no such file.
    Result<std::optional<Credentials>> load() const;
    Result<Done> save(const Credentials& credentials) const;
    // True if there was one.
    Result<bool> remove() const;
    // Held from reading a refresh token to storing the next: it can be used only once, and two
    // programs may run at the same time.
    Result<FileLock> lock() const;

 private:
    std::filesystem::path path_;
};

}  // namespace synapsex::cli

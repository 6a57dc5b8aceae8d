#include "controlplane/cli/credentials.hpp"

#include <boost/json.hpp>

#include "shared/base/describe.hpp"

namespace synapsex::cli {

namespace {

namespace json = boost::json;

Problem invalid(const std::filesystem::path& path) {
    return {
        .kind = Kind::internal,
        .code = "cli.credentials_invalid",
        .detail = path.string() + " is not what synapsexctl wrote. Sign in again."};
}

}  // namespace

std::filesystem::path CredentialsFile::trust_folder() const {
    auto folder = std::filesystem::absolute(path_).lexically_normal();
    if (folder.extension() == ".json") folder.replace_extension();
    folder += ".trust";
    return folder;
}

Result<std::optional<Credentials>> CredentialsFile::load() const {
    SYNAPSEX_TRY(const auto text, read_private_file(path_));
    if (!text) return std::optional<Credentials>{};
    boost::system::error_code error;
    const auto document = json::parse(*text, error);
    const auto* object = error ? nullptr : document.if_object();
    if (object == nullptr) return invalid(path_);

    Credentials credentials;
    bool are_strings = true;
    for_each_member<Credentials>([&](std::string_view name, std::string_view, auto member) {
        const auto* value = object->if_contains(name);
        if (value == nullptr) return;
        if (const auto* string = value->if_string())
            credentials.*member = std::string{*string};
        else
            are_strings = false;
    });
    if (!are_strings || credentials.url.empty()) return invalid(path_);
    return std::optional{std::move(credentials)};
}

Result<Done> CredentialsFile::save(const Credentials& credentials) const {
    json::object object;
    for_each_member<Credentials>([&](std::string_view name, std::string_view, auto member) {
        object[name] = credentials.*member;
    });
    SYNAPSEX_CHECK(make_folders_of(path_));
    return write_private_file(path_, json::serialize(object) + "\n");
}

Result<bool> CredentialsFile::remove() const { return remove_private_file(path_); }

Result<FileLock> CredentialsFile::lock() const {
    return FileLock::acquire(path_.string() + ".lock");
}

}  // namespace synapsex::cli

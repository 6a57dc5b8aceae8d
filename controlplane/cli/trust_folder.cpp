#include "controlplane/cli/trust_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "controlplane/cli/private_file.hpp"
#include "shared/crypto/key_file.hpp"
#include "shared/crypto/sealed_stream.hpp"

namespace synapsex::cli {

namespace {

constexpr std::string_view kExtension = ".trust";
constexpr std::string_view kPemStart = "-----BEGIN ";

Problem root_exists(const TrustFolder& folder) {
    return {
        .kind = Kind::conflict,
        .code = "cli.trust_root_exists",
        .detail = "There is a trust root already, " + folder.root_path().string() +
                  ", and it stays: VMs have pinned it. Another one goes with another --profile."};
}

Problem passphrase_problem(Kind kind, std::string code, const std::filesystem::path& key,
                           const std::string& why) {
    return {.kind = kind, .code = std::move(code), .detail = key.string() + " " + why};
}

std::string sealed(const std::string& text, const std::string& passphrase, Random& random) {
    std::string out;
    crypto::StreamSealer sealer{passphrase, random, [&](std::string_view part) { out += part; }};
    sealer.write(text);
    sealer.finish();
    return out;
}

// Throws crypto::StreamRefused.
std::string opened(std::string_view text, const std::string& passphrase) {
    crypto::StreamOpener opener{passphrase, [&](std::span<char> bytes) {
        const auto size = text.copy(bytes.data(), bytes.size());
        text.remove_prefix(size);
        return size;
    }};
    std::string out(crypto::kKeyBytesMax, '\0');
    out.resize(opener.read(out));
    if (!opener.is_over()) throw crypto::StreamRefused("it is too large to be a key");
    return out;
}

}  // namespace

TrustFolder TrustFolder::beside(const std::filesystem::path& credentials) {
    auto path = std::filesystem::absolute(credentials).lexically_normal();
    if (path.extension() == ".json") path.replace_extension();
    path += kExtension;
    return TrustFolder{std::move(path)};
}

Result<TrustFolder> TrustFolder::of(const Context& context) {
    SYNAPSEX_TRY(const auto file, context.credentials_file());
    return beside(file.path());
}

Result<bool> TrustFolder::check() const {
    struct stat facts {};
    if (::lstat(path_.c_str(), &facts) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return false;
        return crypto::key_unreadable(path_, std::generic_category().message(errno));
    }
    if (S_ISLNK(facts.st_mode))
        return crypto::key_unreadable(path_, "it is a symbolic link; put the folder itself there");
    if (!S_ISDIR(facts.st_mode)) return crypto::key_unreadable(path_, "it is no folder");
    if (facts.st_uid != ::geteuid())
        return crypto::key_unreadable(path_, "it belongs to another user; work as that one");
    if ((facts.st_mode & 077) != 0)
        return crypto::key_unreadable(
            path_, "others than its owner may enter it; chmod 700 it, and see that what is in it "
                   "is still yours"
        );
    return true;
}

Result<std::optional<crypto::TrustRoot>> TrustFolder::find_root() const {
    SYNAPSEX_TRY(const bool is_there, check());
    if (!is_there) return std::optional<crypto::TrustRoot>{};
    const auto document = crypto::read_key_file(root_path(), crypto::kTrustRootBytesMax);
    if (!document && document.error().code == crypto::kKeyMissing)
        return std::optional<crypto::TrustRoot>{};
    if (!document) return document.error();
    auto root = crypto::read_trust_root(*document);
    if (root) return std::optional{*std::move(root)};
    auto problem = std::move(root).error();
    problem.detail = root_path().string() + " is not used: " + problem.detail + ".";
    if (problem.code != crypto::kTrustRootUnknown) problem.detail += " Restore it from a copy.";
    return problem;
}

Result<OperatorKeyState> TrustFolder::key_state() const {
    SYNAPSEX_CHECK(check());
    const auto content = crypto::read_key_file(key_path());
    if (content)
        return content->starts_with(kPemStart) ? OperatorKeyState::plain : OperatorKeyState::sealed;
    if (content.error().code == crypto::kKeyMissing) return OperatorKeyState::missing;
    return content.error();
}

Result<crypto::Ed25519Key> TrustFolder::load_key(const std::string& passphrase) const {
    SYNAPSEX_CHECK(check());
    SYNAPSEX_TRY(auto content, crypto::read_key_file(key_path()));
    const bool is_sealed = !content.starts_with(kPemStart);
    if (is_sealed && passphrase.empty())
        return passphrase_problem(
            Kind::invalid, "cli.passphrase_needed", key_path(),
            "is sealed: give its passphrase with --passphrase-file."
        );
    // Whoever gives one takes the key for sealed, and it never was.
    if (!is_sealed && !passphrase.empty())
        return passphrase_problem(
            Kind::invalid, "cli.passphrase_unneeded", key_path(),
            "is not sealed: it needs no --passphrase-file."
        );
    if (is_sealed) {
        try {
            content = opened(content, passphrase);
        } catch (const crypto::StreamRefused& refused) {
            return passphrase_problem(
                Kind::forbidden, "cli.passphrase_wrong", key_path(),
                std::string{"stays shut: "} + refused.what() + "."
            );
        }
    }
    auto key = crypto::Ed25519Key::from_pem(content);
    if (key) return *std::move(key);
    return crypto::key_unreadable(key_path(), "it holds no operator's key; restore it from a copy");
}

Result<Done> TrustFolder::make_key(const std::string& passphrase, Random& random) const {
    const auto pem = crypto::Ed25519Key::generate(random).to_pem();
    const auto made = crypto::make_key_file(
        key_path(), passphrase.empty() ? pem : sealed(pem, passphrase, random)
    );
    // Made by another one a moment ago: what counts is the file.
    if (!made && made.error().code != crypto::kKeyExists) return made.error();
    return Done{};
}

Result<crypto::TrustRoot> TrustFolder::make_root(
    const Wish& wish, Random& random, Timestamp now
) const {
    SYNAPSEX_TRY(const auto earlier, find_root());
    if (earlier) return root_exists(*this);
    SYNAPSEX_CHECK(make_folders_of(root_path()));
    SYNAPSEX_TRY(const auto state, key_state());
    if (state == OperatorKeyState::missing) SYNAPSEX_CHECK(make_key(wish.passphrase, random));
    SYNAPSEX_TRY(const auto key, load_key(wish.passphrase));
    crypto::TrustRoot root;
    root.created_at = std::chrono::floor<std::chrono::seconds>(now);
    root.keys.push_back({wish.operator_name, key.public_key()});
    const std::array<const crypto::Signer*, 1> signers{&key};
    const auto made =
        crypto::make_key_file(root_path(), crypto::write_trust_root(root, signers));
    if (!made && made.error().code == crypto::kKeyExists) return root_exists(*this);
    if (!made) return made.error();
    return root;
}

}  // namespace synapsex::cli

#include "shared/crypto/operator_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/key_file.hpp"
#include "shared/crypto/sealed_stream.hpp"

namespace synapsex::crypto {

namespace {

constexpr std::string_view kPemStart = "-----BEGIN ";

Problem root_exists(const OperatorFolder& folder) {
    return {
        .kind = Kind::conflict,
        .code = "crypto.trust_root_exists",
        .detail = "There is a trust root already, " + folder.root_path().string() +
                  ", and it stays: VMs have pinned it. Another one goes with another --profile."};
}

Problem passphrase_problem(Kind kind, std::string code, const std::filesystem::path& key,
                           const std::string& why) {
    return {.kind = kind, .code = std::move(code), .detail = key.string() + " " + why};
}

std::string sealed(const std::string& text, const std::string& passphrase, Random& random) {
    std::string out;
    StreamSealer sealer{passphrase, random, [&](std::string_view part) { out += part; }};
    sealer.write(text);
    sealer.finish();
    return out;
}

// Throws StreamRefused.
std::string opened(std::string_view text, const std::string& passphrase) {
    StreamOpener opener{passphrase, [&](std::span<char> bytes) {
        const auto size = text.copy(bytes.data(), bytes.size());
        text.remove_prefix(size);
        return size;
    }};
    std::string out(kKeyBytesMax, '\0');
    out.resize(opener.read(out));
    if (!opener.is_over()) throw StreamRefused("it is too large to be a key");
    return out;
}

}  // namespace

Result<bool> OperatorFolder::check() const {
    struct stat facts {};
    if (::lstat(path_.c_str(), &facts) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return false;
        return key_unreadable(path_, std::generic_category().message(errno));
    }
    if (S_ISLNK(facts.st_mode))
        return key_unreadable(path_, "it is a symbolic link; put the folder itself there");
    if (!S_ISDIR(facts.st_mode)) return key_unreadable(path_, "it is no folder");
    if (facts.st_uid != ::geteuid())
        return key_unreadable(path_, "it belongs to another user; work as that one");
    if ((facts.st_mode & 077) != 0)
        return key_unreadable(
            path_, "others than its owner may enter it; chmod 700 it, and see that what is in it "
                   "is still yours"
        );
    return true;
}

Result<std::optional<TrustRoot>> OperatorFolder::find_root() const {
    SYNAPSEX_TRY(const bool is_there, check());
    if (!is_there) return std::optional<TrustRoot>{};
    const auto document = read_key_file(root_path(), kTrustRootBytesMax);
    if (!document && document.error().code == kKeyMissing)
        return std::optional<TrustRoot>{};
    if (!document) return document.error();
    auto root = read_trust_root(*document);
    if (root) return std::optional{*std::move(root)};
    auto problem = std::move(root).error();
    problem.detail = root_path().string() + " is not used: " + problem.detail + ".";
    if (problem.code != kTrustRootUnknown) problem.detail += " Restore it from a copy.";
    return problem;
}

Result<OperatorKeyState> OperatorFolder::key_state() const {
    SYNAPSEX_CHECK(check());
    const auto content = read_key_file(key_path());
    if (content)
        return content->starts_with(kPemStart) ? OperatorKeyState::plain : OperatorKeyState::sealed;
    if (content.error().code == kKeyMissing) return OperatorKeyState::missing;
    return content.error();
}

Result<std::shared_ptr<const Signer>> OperatorFolder::load_key(
    const std::string& passphrase
) const {
    SYNAPSEX_CHECK(check());
    SYNAPSEX_TRY(auto content, read_key_file(key_path()));
    const bool is_sealed = !content.starts_with(kPemStart);
    if (is_sealed && passphrase.empty())
        return passphrase_problem(
            Kind::invalid, "crypto.passphrase_needed", key_path(),
            "is sealed: give its passphrase with --passphrase-file."
        );
    // Whoever gives one takes the key for sealed, and it never was.
    if (!is_sealed && !passphrase.empty())
        return passphrase_problem(
            Kind::invalid, "crypto.passphrase_unneeded", key_path(),
            "is not sealed: it needs no --passphrase-file."
        );
    if (is_sealed) {
        try {
            content = opened(content, passphrase);
        } catch (const StreamRefused& refused) {
            return passphrase_problem(
                Kind::forbidden, "crypto.passphrase_wrong", key_path(),
                std::string{"stays shut: "} + refused.what() + "."
            );
        }
    }
    auto key = Ed25519Key::from_pem(content);
    if (key) return std::make_shared<const Ed25519Key>(*std::move(key));
    return key_unreadable(key_path(), "it holds no operator's key; restore it from a copy");
}

Result<Done> OperatorFolder::make_key(const std::string& passphrase, Random& random) const {
    const auto pem = Ed25519Key::generate(random).to_pem();
    const auto made = make_key_file(
        key_path(), passphrase.empty() ? pem : sealed(pem, passphrase, random)
    );
    // Made by another one a moment ago: what counts is the file.
    if (!made && made.error().code != kKeyExists) return made.error();
    return Done{};
}

Result<TrustRoot> OperatorFolder::make_root(
    const Wish& wish, Random& random, Timestamp now
) const {
    SYNAPSEX_TRY(const auto earlier, find_root());
    if (earlier) return root_exists(*this);
    SYNAPSEX_TRY(const auto state, key_state());
    if (state == OperatorKeyState::missing) SYNAPSEX_CHECK(make_key(wish.passphrase, random));
    SYNAPSEX_TRY(const auto key, load_key(wish.passphrase));
    TrustRoot root;
    root.created_at = std::chrono::floor<std::chrono::seconds>(now);
    root.keys.push_back({wish.operator_name, key->public_key()});
    const std::array<const Signer*, 1> signers{key.get()};
    const auto made =
        make_key_file(root_path(), write_trust_root(root, signers));
    if (!made && made.error().code == kKeyExists) return root_exists(*this);
    if (!made) return made.error();
    return root;
}

}  // namespace synapsex::crypto

#pragma once

// The certificate authority of one installation: signs the certificates of its control planes, and
// the time for agents whose clocks are wrong (time_proof.hpp), and nothing else, so that agents and
// command lines know them without any other authority. ECDSA P-256, since browsers know no Ed25519
// certificates.
//
// One file holds all of it: the key, its certificate and, while one authority follows another, the
// certificate that the former one gave to this one, and the former one's own. A server shows them
// after its own certificate, so who pinned either of the two finds its way (RFC 4210, 4.4).

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/crypto/time_proof.hpp"

struct evp_pkey_st;
struct x509_st;

namespace synapsex::crypto {

// What the names (CN) of all of them begin with.
inline constexpr std::string_view kAuthorityName = "SynapseX authority ";
inline constexpr std::chrono::days kAuthorityLifetime{3653};
inline constexpr std::chrono::days kServerCertificateLifetime{90};
// A certificate begins before it is made: clocks differ.
inline constexpr std::chrono::days kCertificateHeadStart{1};

class Authority {
 public:
    static Authority make(Timestamp now);
    // Problems of a key file (key_file.hpp); crypto.key_unreadable also for what is in it.
    static Result<Authority> load(const std::filesystem::path& path);
    // Never over another one: crypto.key_exists.
    Result<Done> save(const std::filesystem::path& path) const;
    // In its place, whole or not at all.
    Result<Done> replace(const std::filesystem::path& path) const;

    // public_key_pin.hpp
    std::string pin() const;
    Timestamp not_after() const;
    // Of the one before, while both count.
    std::optional<std::string> former_pin() const;
    // Its certificate, in PEM.
    std::string certificate() const;

    // A new authority with a certificate of this one. Its key is not needed any more.
    Authority make_successor(Timestamp now) const;
    // Without the one before.
    Authority without_former() const;

    // A new key and a certificate of a server for these names ("cp.example.com", "192.0.2.1"), then
    // those up to the authority, in PEM: all that a server needs, in one file.
    std::string issue(const std::vector<std::string>& names, Timestamp now) const;
    // Whether the file's certificate is of this authority, for these names and no others, and has
    // more than a third of its time left.
    bool is_current(
        std::string_view pem, const std::vector<std::string>& names, Timestamp now
    ) const;

    // For who asks with this nonce. Any thread.
    TimeProof prove_time(std::string_view nonce, Timestamp now) const;

 private:
    using Key = std::shared_ptr<evp_pkey_st>;
    using Certificate = std::shared_ptr<x509_st>;

    // `chain`: its own certificate first.
    Authority(Key key, std::vector<Certificate> chain)
        : key_(std::move(key)), chain_(std::move(chain)) {}
    std::string to_pem() const;
    // What a server shows after its own certificate. What the former authority gave comes first:
    // there are clients that take the first certificate of a name for the only one.
    std::vector<Certificate> shown_chain() const;

    Key key_;
    std::vector<Certificate> chain_;
};

}  // namespace synapsex::crypto

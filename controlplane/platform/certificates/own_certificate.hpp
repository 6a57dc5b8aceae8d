#pragma once

// The certificate of a server that was given none: issued by the installation's own authority
// (crypto/authority.hpp) into a file of its data directory, and issued anew when a third of its
// time is left, when its names change or when another authority follows. Each replica has its own.

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/crypto/authority.hpp"
#include "shared/net/tls_context.hpp"

namespace synapsex::certificates {

class OwnCertificate {
 public:
    struct Parts {
        const Clock& clock;               // outlives this
        std::filesystem::path authority;  // its key file
        std::filesystem::path file;       // key and chain, made if it is not there
        std::vector<std::string> names;   // "cp.example.com", "192.0.2.1"
    };

    explicit OwnCertificate(Parts parts) : parts_(std::move(parts)) {}

    // Problems of Authority::load; certificates.unwritable. What is there stays in use.
    Result<Done> renew_if_due();
    net::TlsFiles files() const { return {parts_.file, parts_.file}; }
    // Of the authority as it was last seen; what agents pin; empty before the first renewal. Any
    // thread.
    std::string authority_pin() const;
    // By the same authority, for who asks with this nonce; nullopt before the first renewal. Any
    // thread.
    std::optional<crypto::TimeProof> prove_time(std::string_view nonce) const;

 private:
    std::optional<crypto::Authority> authority() const;

    const Parts parts_;
    mutable std::mutex mutex_;
    std::optional<crypto::Authority> authority_;
};

}  // namespace synapsex::certificates

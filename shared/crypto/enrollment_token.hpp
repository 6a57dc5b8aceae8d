#pragma once

// The text of an enrollment token, which a person carries from the control plane to a VM:
//
//   sxe_<ULID of the token's id>.<secret>[.<authority pin>[.<trust root>]]
//
// The first two are what the control plane knows it by. The others are for the VM: what its agent
// takes for the control plane's authority (public_key_pin.hpp), and the fingerprint of the trust
// root that operators made, both of 43 characters; empty where there is none.

#include <optional>
#include <string>
#include <string_view>

namespace synapsex::crypto {

inline constexpr std::size_t kEnrollmentSecretSize = 32;

struct EnrollmentTokenText {
    std::string ulid;
    std::string secret;
    std::string authority_pin{};
    std::string trust_root{};

    // "sxe_<ULID>.<secret>": the part that the control plane has to see.
    std::string claim() const;
    // All of it.
    std::string text() const;

    friend bool operator==(const EnrollmentTokenText&, const EnrollmentTokenText&) = default;
};

// nullopt for anything else, also for one that was cut off somewhere.
std::optional<EnrollmentTokenText> parse_enrollment_token(std::string_view text);

}  // namespace synapsex::crypto

#pragma once

// The operators' trust root: whose signatures count on a VM, and how many of them it takes. It is
// made on an operator's machine, VMs pin it at enrollment by its fingerprint, and no server is
// asked about it or can make one. In the spirit of root metadata in The Update Framework.
//
//   document := {"signed":SIGNED,"signatures":[{"keyId":ID,"signature":SIGNATURE},…]}\n
//   SIGNED   := {"type":"synapsex.trust-root","format":1,"version":1,"createdAt":INSTANT,
//                "threshold":K,"keys":[{"id":ID,"name":NAME,"publicKey":KEY},…]}
//
// Each document has one spelling: members in this order, no white space but the line's end, no
// escapes; anything else is refused. So what is signed is the text of SIGNED as it stands there,
// and the fingerprint is that text's SHA-256. KEY and SIGNATURE are Ed25519's in base64url, ID is
// the key's (signer.hpp). Whatever else these keys are to sign must not begin as SIGNED does.
//
// Version 1 is signed by keys of its own. Later versions, which are to be signed by the threshold
// of the former one as well, are not read yet.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/crypto/signer.hpp"

namespace synapsex::crypto {

inline constexpr std::size_t kTrustRootBytesMax = 16 * 1024;
inline constexpr std::size_t kTrustRootKeysMax = 16;
inline constexpr std::size_t kOperatorNameMax = 64;  // code points
inline constexpr std::size_t kTrustRootFingerprintSize = 43;

inline constexpr std::string_view kTrustRootInvalid = "crypto.trust_root_invalid";
inline constexpr std::string_view kTrustRootUnsigned = "crypto.trust_root_unsigned";
inline constexpr std::string_view kTrustRootUnknown = "crypto.trust_root_unknown";

// One operator.
struct TrustRootKey {
    std::string name;        // what people call whose it is
    std::string public_key;  // 32 bytes

    friend bool operator==(const TrustRootKey&, const TrustRootKey&) = default;
};

struct TrustRoot {
    Timestamp created_at{};  // whole seconds
    std::size_t threshold = 1;
    std::vector<TrustRootKey> keys;

    // What VMs pin: 43 characters of base64url.
    std::string fingerprint() const;

    friend bool operator==(const TrustRoot&, const TrustRoot&) = default;
};

// Whether the text may be a fingerprint.
bool is_trust_root_fingerprint(std::string_view text);
// Whether it may be an operator's name: a name (base/utf8.hpp) without quotes and backslashes.
bool is_operator_name(std::string_view text);

// The document, signed by these. It does not read back with fewer than the threshold of signers, or
// with keys that no root has.
std::string write_trust_root(const TrustRoot& root, std::span<const Signer* const> signers);

// The only way from bytes to a TrustRoot: what comes out is whole and signed by its threshold, and
// nothing in it is believed before. Whether it is the one that was pinned says its fingerprint.
// Kind::internal crypto.trust_root_invalid: it is no such document, or one with a threshold that
// no signatures can reach, a key twice, or more than the limits; crypto.trust_root_unsigned: a
// signature is wrong, or too few are there; crypto.trust_root_unknown: of a later release. The
// detail is a sentence about "it".
Result<TrustRoot> read_trust_root(std::string_view document);

}  // namespace synapsex::crypto

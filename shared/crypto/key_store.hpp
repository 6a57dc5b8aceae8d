#pragma once

// Where the control plane's keys are. Programs ask for a key by the name of its purpose and get
// what signs or derives with it; which keys a name has, and where they are, is the store's matter:
// files (file_key_store.hpp), later a PKCS #11 token or a cloud's key service.

#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"
#include "shared/crypto/key_file.hpp"
#include "shared/crypto/root_key.hpp"
#include "shared/crypto/signer.hpp"

namespace synapsex::crypto {

struct NamedKeys {
    std::string name;
    std::vector<PublicKey> published;  // the one that signs first
};

// Names are constants of programs: 1 to 63 of a-z, 0-9 and -, a letter first. Another throws
// std::invalid_argument. Failures are sentences for the operator, with the codes of key_file.hpp:
// kKeyMissing where there is no such key.
class KeyStore {
 public:
    virtual ~KeyStore() = default;

    virtual Result<SigningKeys> get(std::string_view name) const = 0;
    virtual Result<SigningKeys> get_or_make(std::string_view name) = 0;
    // What signs, by name. Fails as a whole: a key that cannot be used is to be seen.
    virtual Result<std::vector<NamedKeys>> list() const = 0;

    virtual Result<RootKey> get_root_key() const = 0;
    virtual Result<RootKey> get_or_make_root_key() = 0;
};

bool is_key_name(std::string_view text);

}  // namespace synapsex::crypto

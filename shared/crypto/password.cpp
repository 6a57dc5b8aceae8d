#include "shared/crypto/password.hpp"

#include <array>
#include <stdexcept>

#include <argon2.h>

namespace synapsex::crypto {

std::string hash_password(std::string_view password, Random& random, const PasswordCost& cost) {
    std::array<std::byte, 16> salt{};
    random.fill(salt);
    constexpr std::size_t kTagBytes = 32;
    std::string hash(
        argon2_encodedlen(
            cost.passes, cost.memory_kib, cost.lanes, salt.size(), kTagBytes, Argon2_id
        ),
        '\0'
    );
    const int error = argon2id_hash_encoded(
        cost.passes, cost.memory_kib, cost.lanes, password.data(), password.size(), salt.data(),
        salt.size(), kTagBytes, hash.data(), hash.size()
    );
    if (error != ARGON2_OK) throw std::runtime_error(argon2_error_message(error));
    hash.resize(hash.find('\0'));
    return hash;
}

bool verify_password(std::string_view password, const std::string& phc_hash) {
    return argon2id_verify(phc_hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

bool needs_rehash(std::string_view phc_hash, const PasswordCost& cost) {
    const std::string current = "$argon2id$v=19$m=" + std::to_string(cost.memory_kib) +
                                ",t=" + std::to_string(cost.passes) +
                                ",p=" + std::to_string(cost.lanes) + "$";
    return !phc_hash.starts_with(current);
}

}  // namespace synapsex::crypto

#pragma once

// Passwords as argon2id in PHC form, "$argon2id$v=19$m=19456,t=2,p=1$…". About 20 ms of one core
// and 19 MiB each: callers bound how many run at once.

#include <string>
#include <string_view>

#include "shared/base/random.hpp"

namespace synapsex::crypto {

struct PasswordCost {
    unsigned memory_kib = 19456;
    unsigned passes = 2;
    unsigned lanes = 1;
};

std::string hash_password(std::string_view password, Random& random, const PasswordCost& cost = {});

// False also for a text that is no argon2id hash.
bool verify_password(std::string_view password, const std::string& phc_hash);

// The stored hash was made with less than today's cost: hash again at the next login.
bool needs_rehash(std::string_view phc_hash, const PasswordCost& cost = {});

}  // namespace synapsex::crypto

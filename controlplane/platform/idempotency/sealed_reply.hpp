#pragma once

// An answer as it is stored: sealed with a key made from the client's own Idempotency-Key, so that
// whoever reads the database finds neither secrets nor anything else of it.

#include <string>
#include <string_view>

#include "controlplane/platform/api/reply.hpp"
#include "shared/base/random.hpp"

namespace synapsex::idempotency {

// `place` is bound to it: under another place it does not open. The status is not in it.
std::string seal_reply(
    const api::Reply& reply, std::string_view key, std::string_view place, Random& random
);
// Throws db::DatabaseError for what was not sealed so.
api::Reply open_reply(std::string_view sealed, std::string_view key, std::string_view place);

}  // namespace synapsex::idempotency

#pragma once

// What an agent signs with its key besides the assertions that fetch its access tokens. Each text
// begins with a line that nothing else begins with, so a signature for one purpose is none for
// another; members hold no line break.

#include <string>
#include <string_view>

namespace synapsex::crypto {

// "From now on this is my key." Signed twice, by the key that it replaces and by the new one, which
// proves that the agent has both:
//
//   synapsex-agent-key-v1
//   <agent id>
//   <issuer of the control plane>
//   <id of the key that is replaced>
//   <new public key, base64url>
struct KeyChange {
    std::string_view agent_id;
    std::string_view issuer;
    std::string_view former_key_id;
    std::string_view public_key;
};
std::string statement_of(const KeyChange& change);

}  // namespace synapsex::crypto

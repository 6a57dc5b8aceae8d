#include "shared/crypto/agent_statements.hpp"

namespace synapsex::crypto {

std::string statement_of(const KeyChange& change) {
    std::string text{"synapsex-agent-key-v1\n"};
    for (const auto part : {change.agent_id, change.issuer, change.former_key_id})
        text.append(part).append("\n");
    return text.append(change.public_key).append("\n");
}

}  // namespace synapsex::crypto

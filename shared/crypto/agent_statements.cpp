#include "shared/crypto/agent_statements.hpp"

#include "shared/crypto/hash.hpp"

namespace synapsex::crypto {

std::string statement_of(const KeyChange& change) {
    std::string text{"synapsex-agent-key-v1\n"};
    for (const auto part : {change.agent_id, change.issuer, change.former_key_id})
        text.append(part).append("\n");
    return text.append(change.public_key).append("\n");
}

std::string statement_of(const SectionReport& report) {
    std::string text{"synapsex-inventory-v1\n"};
    text.append(report.agent_id).append("\n").append(report.section).append("\n");
    text.append(std::to_string(report.signed_at_us)).append("\n");
    return text.append(sha256_hex(report.content)).append("\n");
}

}  // namespace synapsex::crypto

#include "controlplane/services/agent_registry/inventory_reports.hpp"

#include <chrono>
#include <utility>

#include "controlplane/services/agent_registry/agent_keys.hpp"
#include "controlplane/services/agent_registry/store.hpp"
#include "shared/crypto/agent_statements.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::agent_registry {

namespace {

constexpr std::size_t kHashDigits = 32;

Problem no_such_agent() {
    return {Kind::not_found, "agents.not_found", "There is no such agent."};
}

Problem malformed(std::string pointer) {
    return {
        Kind::invalid, "request.invalid", "The section is not signed as it has to be.",
        {{std::move(pointer), "malformed", "Pass the bytes in base64url without padding."}}
    };
}

Problem signature_invalid(const std::string& key_id) {
    return {
        Kind::unprocessable, "inventory.signature_invalid",
        "The section is not signed with the agent's key, which is " + key_id + "."
    };
}

Problem signature_skewed(Timestamp now) {
    return {
        Kind::unprocessable, "inventory.signature_skewed",
        "The section was signed at a time that is not now; here it is " + format_rfc3339(now) + "."
    };
}

// The one member that the path names.
Result<vm_registry::SectionBody> body_of(SectionName section, InventoryContent content) {
    std::optional<vm_registry::SectionBody> body;
    switch (section) {
        case SectionName::os: body = std::move(content.os); break;
        case SectionName::cpu: body = std::move(content.cpu); break;
        case SectionName::memory: body = content.memory; break;
        case SectionName::disks: body = std::move(content.disks); break;
        case SectionName::filesystems: body = std::move(content.filesystems); break;
        case SectionName::network: body = std::move(content.network); break;
        case SectionName::packages: body = std::move(content.packages); break;
    }
    if (body) return *std::move(body);
    return Problem{
        Kind::invalid, "inventory.section_missing",
        "The content has not the section of the path.",
        {{"/" + std::string{enum_name(section)}, "required", "The section of the path."}}
    };
}

}  // namespace

Result<api::None> InventoryReports::put(const Call& call, const PutInventory& wish) {
    if (call.principal->agent != wish.agent_id) return no_such_agent();
    SYNAPSEX_TRY(auto signature, verify(call, wish));
    InventoryContent content;
    SYNAPSEX_CHECK(api::ProtobufCodec<InventoryContent>::decode(signature.content, content));
    SYNAPSEX_CHECK(api::Codec<InventoryContent>::check(content));
    const bool is_truncated = content.truncated;
    SYNAPSEX_TRY(auto body, body_of(wish.section, std::move(content)));
    auto hash = crypto::sha256_hex(signature.content).substr(0, kHashDigits);
    const vm_registry::Section section{
        wish.section, std::move(hash), is_truncated, std::move(body), std::move(signature)
    };
    const auto vm = VmId::derived_from(wish.agent_id);
    SYNAPSEX_CHECK(parts_.vms.put_section(call, call.tenant, vm, section));
    return api::None{};
}

// Before anything else is read of the content.
Result<vm_registry::SectionSignature> InventoryReports::verify(
    const Call& call, const PutInventory& wish
) {
    auto content = crypto::from_base64url(wish.content.value);
    if (!content) return malformed("/content");
    auto signature = crypto::from_base64url(wish.signature.value);
    if (!signature) return malformed("/signature");
    const auto now = parts_.clock.now();
    SYNAPSEX_TRY(
        const auto agent,
        parts_.database.read(call, [&](db::Session& session) -> Result<AgentIdentity> {
            const auto row = AgentStore{session}.find(call.tenant, wish.agent_id);
            if (!row) return no_such_agent();
            return identity_of(*row, now);
        })
    );
    const auto statement = crypto::statement_of(crypto::SectionReport{
        .agent_id = wish.agent_id.text(),
        .section = enum_name(wish.section),
        .signed_at_us = to_micros(wish.signed_at),
        .content = *content,
    });
    for (const auto& key : {agent.public_key, agent.next_public_key}) {
        if (key.empty() || crypto::ed25519_key_id(key) != wish.key_id.value) continue;
        if (!crypto::verify_ed25519(key, statement, *signature)) break;
        if (std::chrono::abs(wish.signed_at - now) > vm_registry::kSigningSkewMax)
            return signature_skewed(now);
        return vm_registry::SectionSignature{
            *std::move(content), wish.signed_at, key, *std::move(signature)
        };
    }
    const auto& current = agent.public_key.empty() ? agent.next_public_key : agent.public_key;
    return signature_invalid(crypto::ed25519_key_id(current));
}

}  // namespace synapsex::agent_registry

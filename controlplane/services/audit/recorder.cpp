#include "controlplane/services/audit/recorder.hpp"

#include <map>

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/services/audit/store.hpp"

namespace synapsex::audit {

namespace {

constexpr db::SystemScope kRecord{"audit.record"};
// A relay's batch has 500 messages, and what was committed with the last of them.
constexpr std::size_t kTransactionMax = 100;

std::string bounded(const std::string& data) {
    if (data.size() <= kDataMax) return data;
    return api::JsonObjectText{}.add("omittedBytes", std::to_string(data.size())).finish();
}

EntryRow entry_of(
    const outbox::NumberedMessage& message, std::int64_t sequence, Timestamp recorded_at
) {
    return {
        .entry_id = EntryId::parse(message.message_id.text()).value(),
        .sequence = sequence,
        .occurred_at = message.occurred_at,
        .recorded_at = recorded_at,
        .action = message.type,
        .subject = message.subject,
        .actor = message.actor,
        .on_behalf_of = message.on_behalf_of,
        .request_id = message.request_id,
        .decision_id = message.decision_id,
        .client_address = message.client_address,
        .argument_digest = message.argument_digest,
        .data = bounded(message.data),
        .hash = message.hash,
        .prev_hash = message.prev_hash,
    };
}

}  // namespace

// The entry itself shows that its message has been here, for as long as it is kept; so there is no
// row in the inbox beside it, which forgets after days.
Result<Done> Recorder::consume(
    const Call& call, std::span<const outbox::NumberedMessage> messages
) {
    while (!messages.empty()) {
        const auto some = messages.first(std::min(messages.size(), kTransactionMax));
        messages = messages.subspan(some.size());
        SYNAPSEX_CHECK(database_.write(kRecord, call, [&](db::Session& session) -> Result<Done> {
            AuditStore store{session};
            const auto now = session.now();
            std::map<std::string, std::int64_t> heads;
            for (const auto& message : some) {
                const auto& tenant = message.tenant_id;
                if (!heads.contains(tenant)) heads[tenant] = store.find_head(tenant);
                auto& head = heads[tenant];
                if (store.insert(tenant, entry_of(message, head + 1, now))) ++head;
            }
            for (const auto& [tenant, head] : heads) store.set_head(tenant, head);
            return Done{};
        }));
    }
    return Done{};
}

}  // namespace synapsex::audit

#include "controlplane/platform/outbox/outbox.hpp"

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox_store.hpp"

namespace synapsex::outbox {

namespace {

std::string actor_of(const Principal& principal) {
    std::string list;
    const auto add = [&](std::string_view type, const std::string& id) {
        if (!list.empty()) list += ',';
        list += api::JsonObjectText{}.add_text("type", type).add_text("id", id).finish();
    };
    switch (principal.kind) {
        case PrincipalKind::anonymous:
            break;
        case PrincipalKind::system:
            // Named: a person at the server's own machine.
            add(principal.credential_id.empty() ? "system" : "local_operator",
                principal.credential_id);
            break;
        case PrincipalKind::agent:
            add("agent", principal.agent.text());
            break;
        case PrincipalKind::user:
            add("user", principal.user.text());
            add("session", principal.credential_id);
            break;
        case PrincipalKind::api_key:
            add("user", principal.user.text());
            add("api_key", principal.credential_id);
            break;
    }
    return "[" + list + "]";
}

}  // namespace

void add(db::Session& session, const Call& call, const News& news) {
    if (news.kind == MessageKind::event && session.room() == db::Room::critical) return;
    OutboxStore{session}.post({
        .message_id = news.id,
        .tenant_id = call.tenant.text(),
        .kind = news.kind,
        .type = std::string{news.type},
        .subject = news.subject,
        .subject_version = 0,
        .occurred_at = news.occurred_at,
        .actor = actor_of(*call.principal),
        .on_behalf_of = {},
        .request_id = call.request_id,
        .decision_id = {},
        .argument_digest = call.argument_digest,
        .client_address = call.client_address,
        .data = news.data,
    });
}

}  // namespace synapsex::outbox

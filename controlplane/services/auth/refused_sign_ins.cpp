#include "controlplane/services/auth/refused_sign_ins.hpp"

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/auth/sign_in_limits.hpp"

namespace synapsex::auth {

namespace {

// No address reads so.
constexpr std::string_view kOthers = "~others";

}  // namespace

void RefusedSignIns::note(
    const Call& call, const std::optional<UserId>& user, Reason reason
) {
    const auto now = clock_.now();
    Key key{
        std::chrono::floor<std::chrono::minutes>(now), user ? user->text() : std::string{},
        place_of(call.client_address)
    };
    const std::lock_guard lock{mutex_};
    if (noted_.size() >= kNotedMax && !noted_.contains(key))
        key = {key.minute, {}, std::string{kOthers}};
    auto& refused = noted_[key];
    if (refused.wrong + refused.held_up == 0) {
        refused.first = now;
        refused.is_of_others = key.place == kOthers;
        if (!refused.is_of_others) {
            refused.request_id = call.request_id;
            refused.address = call.client_address;
            refused.user_agent = call.user_agent;
        }
    }
    ++(reason == Reason::wrong ? refused.wrong : refused.held_up);
}

Result<Done> RefusedSignIns::flush(const Call& call, Minutes minutes) {
    const auto minute = std::chrono::floor<std::chrono::minutes>(clock_.now());
    for (;;) {
        Noted::node_type node;
        {
            const std::lock_guard lock{mutex_};
            if (noted_.empty()) return Done{};
            const auto first = noted_.begin();
            if (minutes == Minutes::over && first->first.minute == minute) return Done{};
            node = noted_.extract(first);
        }
        const auto give_back = [&] {
            const std::lock_guard lock{mutex_};
            noted_.insert(std::move(node));
        };
        try {
            if (auto told = tell(call, node.key(), node.mapped()); !told) {
                give_back();
                return told;
            }
        } catch (...) {
            give_back();
            throw;
        }
    }
}

Result<Done> RefusedSignIns::tell(const Call& call, const Key& key, const Refused& refused) {
    Call about{
        .request_id = refused.request_id.empty() ? call.request_id : refused.request_id,
        .tenant = {},
        .principal = std::make_shared<Principal>(),
        .deadline = call.deadline,
    };
    about.client_address = refused.address;
    if (const auto user = UserId::parse(key.user)) {
        SYNAPSEX_TRY(const auto memberships, tenants_.list_memberships(call, *user));
        if (!memberships.empty()) about.tenant = memberships.front().tenant_id;
    }
    const auto news = outbox::MessageId::make(clock_.now(), random_);
    auto data = api::JsonObjectText{}
                    .add("wrong", std::to_string(refused.wrong))
                    .add("heldUp", std::to_string(refused.held_up))
                    .add("isKnownAccount", key.user.empty() ? "false" : "true")
                    .add_text("userAgent", refused.user_agent);
    if (refused.is_of_others) data.add("isOfManyAccounts", "true");
    return database_.write(about, [&](db::Session& session) -> Result<Done> {
        outbox::add(
            session, about,
            {news, refused.first, "sign_in.refused", key.user, data.finish(),
             outbox::MessageKind::audit}
        );
        return Done{};
    });
}

}  // namespace synapsex::auth

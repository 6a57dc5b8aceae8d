#include "controlplane/services/audit/denials.hpp"

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"

namespace synapsex::audit {

namespace {

constexpr db::SystemScope kWriteDenials{"audit.write_denials"};

// What is told of when it is written: the id is made before.
struct Told {
    outbox::MessageId id;
    const Call& call;
    Timestamp at;
    std::string operation;
    std::string data;
};

}  // namespace

Denials::Denials(db::Database& database, const Clock& clock, Random& random, Metrics& metrics)
    : database_(database),
      clock_(clock),
      random_(random),
      unrecorded_(metrics.counter(
          "synapsex_audit_denials_unrecorded_total",
          "Refusals that are in no audit entry: too many credentials were refused at once."
      )) {}

void Denials::note(const Call& call, Denied denied) {
    const auto& principal = *call.principal;
    const auto credential =
        principal.credential_id.empty() ? principal.agent.text() : principal.credential_id;
    const auto now = clock_.now();
    const std::lock_guard lock{mutex_};
    const Key key{call.tenant, credential, denied.operation};
    if (noted_.size() >= kNotedMax && !noted_.contains(key)) {
        unrecorded_.add();
        return;
    }
    auto& pending = noted_[key].pending;
    if (!pending) pending.emplace(Pending{call, std::move(denied), now, now, 0});
    pending->call.effect = nullptr;  // the request's alone
    pending->last_at = now;
    ++pending->count;
}

Denials::Taken Denials::take(Due due) {
    const auto now = clock_.steady_now();
    Taken taken;
    const std::lock_guard lock{mutex_};
    for (auto place = noted_.begin(); place != noted_.end();) {
        auto& [key, noted] = *place;
        const bool is_quiet = noted.quiet_until && now < *noted.quiet_until;
        if (!noted.pending && !is_quiet) {
            place = noted_.erase(place);
            continue;
        }
        if (noted.pending && (!is_quiet || due == Due::all)) {
            taken.emplace(key, *std::move(noted.pending));
            noted.pending.reset();
            noted.quiet_until = now + kQuietFor;
        }
        ++place;
    }
    return taken;
}

void Denials::note_again(Taken taken) {
    const std::lock_guard lock{mutex_};
    for (auto& [key, pending] : taken) {
        auto& noted = noted_[key];
        if (noted.pending) {
            pending.last_at = noted.pending->last_at;
            pending.count += noted.pending->count;
        }
        noted.pending = std::move(pending);
        noted.quiet_until.reset();
    }
}

Result<Done> Denials::write(const Call& call, const Taken& taken) {
    std::vector<Told> all;
    for (const auto& [key, pending] : taken) {
        api::JsonObjectText data;
        data.add_text("operation", pending.denied.operation);
        if (!pending.denied.scope.empty()) data.add_text("scope", pending.denied.scope);
        data.add_text("code", pending.denied.code);
        data.add("count", std::to_string(pending.count));
        if (pending.count > 1) data.add_text("lastAt", format_rfc3339(pending.last_at));
        all.push_back(
            {outbox::MessageId::make(pending.first_at, random_), pending.call, pending.first_at,
             pending.denied.operation, data.finish()}
        );
    }
    return database_.write(kWriteDenials, call, [&](db::Session& session) -> Result<Done> {
        for (const auto& told : all)
            outbox::add(
                session, told.call,
                {told.id, told.at, "access.denied", told.operation, told.data,
                 outbox::MessageKind::audit}
            );
        return Done{};
    });
}

Result<Done> Denials::flush(const Call& call, Due due) {
    auto taken = take(due);
    if (taken.empty()) return Done{};
    try {
        auto written = write(call, taken);
        if (!written) note_again(std::move(taken));
        return written;
    } catch (...) {
        note_again(std::move(taken));
        throw;
    }
}

}  // namespace synapsex::audit

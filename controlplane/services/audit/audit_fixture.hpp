#pragma once

// Outboxes, and an audit log in a database of its own.

#include "controlplane/platform/outbox/outbox_fixture.hpp"
#include "controlplane/services/audit/migrations.hpp"
#include "controlplane/services/audit/recorder.hpp"
#include "controlplane/services/audit/service.hpp"
#include "controlplane/services/audit/store.hpp"

namespace synapsex::audit {

class AuditTest : public outbox::OutboxTest {
 protected:
    Call call_of(const TenantId& of) { return call.of_tenant(of); }

    // Posted to the source's outbox.
    std::string tell(
        const Call& as, std::string_view type, std::string data = "{}",
        outbox::MessageKind kind = outbox::MessageKind::change
    ) {
        const outbox::News news{fresh_id(), clock.now(), type, "sub_1", std::move(data), kind};
        source.in_write([&](db::Session& session) { outbox::add(session, as, news); });
        return news.id.text();
    }
    Result<Done> relay() {
        return outbox::Relay(parts({&recorder}), "main").run(call, acquire("a"));
    }
    // What is in the log, oldest first; of the installation without a tenant.
    std::vector<std::string> ids(const std::optional<TenantId>& of) {
        return column<std::string>(of, "entry_id");
    }
    std::vector<std::int64_t> numbers(const std::optional<TenantId>& of) {
        return column<std::int64_t>(of, "sequence");
    }

    testing::TestDatabase books{clock, {{"outbox", outbox::kMigrations}, {"audit", kMigrations}}};
    Recorder recorder{*books};
    AuditLog log{*books, clock, random};
    TenantId tenant = TenantId::make(clock.now(), random);
    TenantId stranger = TenantId::make(clock.now(), random);

 private:
    static constexpr db::Query kAll{"test.all", R"sql(
        SELECT entry_id, sequence FROM audit_entries WHERE tenant_id = $1 ORDER BY sequence)sql"};

    template <class T>
    std::vector<T> column(const std::optional<TenantId>& of, std::string_view name) {
        return books.in_read([&](db::Session& session) {
            std::vector<T> values;
            const auto rows = session.query(kAll, of ? of->text() : std::string{});
            for (std::size_t i = 0; i < rows.size(); ++i) values.push_back(rows[i].get<T>(name));
            return values;
        });
    }
};

}  // namespace synapsex::audit

#pragma once

// A relay with one consumer of events, and messages for it.

#include <set>

#include "controlplane/platform/outbox/outbox_fixture.hpp"
#include "controlplane/platform/outbox/relay.hpp"

namespace synapsex::outbox {

class RelayTest : public OutboxTest {
 protected:
    Result<Done> run(const leases::Lease& lease) {
        Relay relay{parts({&consumer}), "main"};
        return relay.run(call, lease);
    }
    // Of all that are there.
    std::vector<std::int64_t> numbers() {
        std::set<std::int64_t> all;
        source.in_read([&](db::Session& session) {
            for (const auto stream : {Stream::events, Stream::audit, Stream::usage})
                for (const auto& message : OutboxStore{session}.read_after(stream, 0, 1'000))
                    all.insert(message.sequence);
            return true;
        });
        return {all.begin(), all.end()};
    }
    std::vector<std::string> add_some(int count) {
        std::vector<std::string> ids;
        for (int i = 0; i < count; ++i) ids.push_back(add().message_id.text());
        return ids;
    }

    // As a release before 0002_create_posted left it.
    void add_earlier(const std::string& id, std::optional<std::int64_t> sequence) {
        static constexpr db::Query kInsert{"test.insert_earlier", R"sql(
            INSERT INTO platform_outbox
                (message_id, tenant_id, kind, type, subject, subject_version, occurred_at, actor,
                 on_behalf_of, request_id, decision_id, argument_digest, client_address,
                 schema_version, data, sequence, prev_hash)
            VALUES ($1, 'ten_1', 'event', 'tests.earlier', 'sub_1', 0, $3, '[]', '', '', '', '',
                    '', 1, '{}', $2, NULL))sql"};
        source.in_write([&](db::Session& session) {
            session.execute(kInsert, id, sequence, clock.now());
        });
    }

    TestConsumer consumer{*target, Stream::events};
};

}  // namespace synapsex::outbox

#pragma once

// The SQL of audit-service. No rules, no clock.

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/audit/api.hpp"

namespace synapsex::audit {

// As a row has it: what is not there is empty.
struct EntryRow {
    EntryId entry_id{};
    std::int64_t sequence = 0;
    Timestamp occurred_at{};
    Timestamp recorded_at{};
    std::string action{};
    std::string subject{};
    std::string actor{};
    std::string on_behalf_of{};
    std::string request_id{};
    std::string decision_id{};
    std::string client_address{};
    std::string argument_digest{};
    std::string data{};
    std::string hash{};
    std::string prev_hash{};
};
BOOST_DESCRIBE_STRUCT(
    EntryRow, (),
    (entry_id, sequence, occurred_at, recorded_at, action, subject, actor, on_behalf_of, request_id,
     decision_id, client_address, argument_digest, data, hash, prev_hash)
)

// Instants as the database has them, from the first to before the second.
struct TimeRange {
    std::int64_t from = std::numeric_limits<std::int64_t>::min();
    std::int64_t before = std::numeric_limits<std::int64_t>::max();

    bool is_everything() const;
};

// Numbers after the first, up to the second.
struct SequenceRange {
    std::int64_t after = 0;
    std::int64_t through = 0;
};
BOOST_DESCRIBE_STRUCT(SequenceRange, (), (after, through))

// What an entry has to fit; empty: anything.
struct EntryFilter {
    std::string action{};
    std::string action_prefix{};
    std::string subject{};
    std::string request_id{};
    std::string client_address{};
    std::string actor{};  // a part of the text of the chain
    TimeRange time{};
};

class AuditStore {
 public:
    explicit AuditStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // The last number that was given; 0 before the first. The tenant may be empty: entries of the
    // installation.
    std::int64_t find_head(std::string_view tenant);
    void set_head(std::string_view tenant, std::int64_t sequence);
    // False: the tenant's log has it already.
    bool insert(std::string_view tenant, const EntryRow& entry);

    std::optional<EntryRow> find(const TenantId& tenant, const EntryId& entry);
    // The least range that has all entries of the time.
    SequenceRange find_range(const TenantId& tenant, const TimeRange& time);
    // In that range, at most `limit`.
    std::vector<EntryRow> list_newest(
        const TenantId& tenant, const SequenceRange& range, const EntryFilter& filter,
        std::int64_t limit
    );
    std::vector<EntryRow> list_oldest(
        const TenantId& tenant, const SequenceRange& range, const TimeRange& time,
        std::int64_t limit
    );

 private:
    db::Session& session_;
};

}  // namespace synapsex::audit

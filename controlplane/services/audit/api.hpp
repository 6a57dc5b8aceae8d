#pragma once

// /v1/audit: what happened in a tenant, by whom, from where.

#include <optional>
#include <string>
#include <vector>

#include "controlplane/platform/api/lines.hpp"
#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/api/page.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/ids.hpp"
#include "shared/base/json_value.hpp"
#include "shared/base/time.hpp"

namespace synapsex::audit {

// The id of the message that the entry was made of: an event of the same fact has the same.
struct EntryTag { static constexpr std::string_view kPrefix = "evt_"; };
using EntryId = Id<EntryTag>;

struct Actor {
    std::string type{};  // "user", "session", "api_key", "agent", "local_operator", "system"
    std::string id{};
};
BOOST_DESCRIBE_STRUCT(Actor, (), (type, id))

struct AuditEntry {
    EntryId id{};
    std::int64_t sequence = 0;
    Timestamp time{};
    Timestamp recorded_at{};
    std::string action{};
    std::string subject{};
    std::vector<Actor> actor{};
    std::optional<std::string> on_behalf_of{};
    std::optional<std::string> request_id{};
    std::optional<std::string> decision_id{};
    std::optional<std::string> client_address{};
    std::optional<std::string> argument_digest{};
    JsonObject data{};
    std::string hash{};
    std::string prev_hash{};
};
BOOST_DESCRIBE_STRUCT(
    AuditEntry, (),
    (id, sequence, time, recorded_at, action, subject, actor, on_behalf_of, request_id, decision_id,
     client_address, argument_digest, data, hash, prev_hash)
)

using FilterText = Text<1, 200>;

struct ListEntries {
    api::PageLimit limit{};
    std::optional<api::Cursor> cursor{};
    std::optional<FilterText> actor{};
    std::optional<FilterText> action{};
    std::optional<FilterText> subject{};
    std::optional<FilterText> request_id{};
    std::optional<FilterText> client_address{};
    std::optional<Timestamp> from{};
    std::optional<Timestamp> to{};
};
BOOST_DESCRIBE_STRUCT(
    ListEntries, (),
    (limit, cursor, actor, action, subject, request_id, client_address, from, to)
)

struct EntryPage {
    std::vector<AuditEntry> items{};
    std::optional<std::string> next_cursor{};
};
BOOST_DESCRIBE_STRUCT(EntryPage, (), (items, next_cursor))

struct EntryPath {
    EntryId entry_id{};
};
BOOST_DESCRIBE_STRUCT(EntryPath, (), (entry_id))

struct ExportEntries {
    std::optional<Timestamp> from{};
    std::optional<Timestamp> to{};
    Default<Int<1, 1000>, 1000> limit{};
    std::optional<api::Cursor> cursor{};
};
BOOST_DESCRIBE_STRUCT(ExportEntries, (), (from, to, limit, cursor))

inline constexpr api::Operation<ListEntries, EntryPage> kListEntries{
    .id = "audit.list", .path = "/v1/audit", .access = auth::user("audit.read"),
    .summary = "List what happened in the tenant, newest first.",
    .description = "An entry is there about a second after what it tells of. A page looks through "
                   "50,000 entries at most: with filters that fit few of them it may be short, or "
                   "empty, and there is more as long as nextCursor is not null."};
inline constexpr api::Operation<EntryPath, AuditEntry> kGetEntry{
    .id = "audit.get", .path = "/v1/audit/{entryId}", .access = auth::user("audit.read"),
    .summary = "Read an entry."};
inline constexpr api::Operation<ExportEntries, api::Lines<AuditEntry>> kExportEntries{
    .id = "audit.export", .path = "/v1/audit/export", .access = auth::user("audit.read"),
    .summary = "Export entries, oldest first, a line of JSON for each.",
    .description = "An answer has 1,000 entries or 4 MiB at most; the rest is where its Link "
                   "header leads. The first answer settles where the last one ends: what is added "
                   "meanwhile is not in it. Each answer is an entry itself, audit.exported, which "
                   "is written before anything is read."};

}  // namespace synapsex::audit

#include "controlplane/services/audit/service.hpp"

#include <algorithm>
#include <charconv>

#include "controlplane/platform/api/json_document.hpp"
#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/audit/store.hpp"

namespace synapsex::audit {

namespace {

// Numbers that one statement goes over: those it reads need not fit.
constexpr std::int64_t kWindow = 5'000;
// Lines of an export that are read at once, each of at most about 10 KiB.
constexpr std::int64_t kLinesAtOnce = 100;

std::optional<std::string> unless_empty(std::string text) {
    if (text.empty()) return std::nullopt;
    return text;
}

std::vector<Actor> parse_actor(std::string_view json) {
    std::vector<Actor> chain;
    const auto document = api::JsonDocument::parse(json);
    if (!document) return chain;
    for (const auto* link = document->first_child(document->root()); link;
         link = document->next(*link)) {
        Actor actor;
        for (const auto* member = document->first_child(*link); member;
             member = document->next(*member)) {
            if (member->key == "type") actor.type = member->text;
            if (member->key == "id") actor.id = member->text;
        }
        chain.push_back(std::move(actor));
    }
    return chain;
}

AuditEntry view(EntryRow row) {
    return {
        .id = row.entry_id,
        .sequence = row.sequence,
        .time = row.occurred_at,
        .recorded_at = row.recorded_at,
        .action = std::move(row.action),
        .subject = std::move(row.subject),
        .actor = parse_actor(row.actor),
        .on_behalf_of = unless_empty(std::move(row.on_behalf_of)),
        .request_id = unless_empty(std::move(row.request_id)),
        .decision_id = unless_empty(std::move(row.decision_id)),
        .client_address = unless_empty(std::move(row.client_address)),
        .argument_digest = unless_empty(std::move(row.argument_digest)),
        .data = {std::move(row.data)},
        .hash = std::move(row.hash),
        .prev_hash = std::move(row.prev_hash),
    };
}

Result<TimeRange> time_range(
    const std::optional<Timestamp>& from, const std::optional<Timestamp>& to
) {
    if (from && to && *from > *to)
        return Problem{
            Kind::invalid, "audit.range_invalid", "`from` is later than `to`.",
            {{"from", "too_large", "must not be later than `to`"}}
        };
    TimeRange range;
    if (from) range.from = to_micros(*from);
    if (to) range.before = to_micros(*to);
    return range;
}

std::string text_of(const std::optional<FilterText>& text) { return text ? text->value : ""; }

EntryFilter filter_of(const ListEntries& wish, const TimeRange& time) {
    EntryFilter filter{
        .subject = text_of(wish.subject),
        .request_id = text_of(wish.request_id),
        .client_address = text_of(wish.client_address),
        .time = time,
    };
    const auto action = text_of(wish.action);
    (action.ends_with('.') ? filter.action_prefix : filter.action) = action;
    // As the outbox writes it, quotes included: so no part of another id fits.
    if (wish.actor) filter.actor = "\"id\":" + api::quoted(wish.actor->value) + "}";
    return filter;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 0)
        return std::nullopt;
    return number;
}

// The cursor of an export: "17-90", entries after 17 up to 90.
std::optional<SequenceRange> parse_range(std::string_view text) {
    const auto dash = text.find('-');
    if (dash == text.npos) return std::nullopt;
    const auto after = parse_number(text.substr(0, dash));
    const auto through = parse_number(text.substr(dash + 1));
    if (!after || !through) return std::nullopt;
    return SequenceRange{*after, *through};
}

// All that may fit, or what of it has the time.
SequenceRange range_of(AuditStore& store, const TenantId& tenant, const TimeRange& time) {
    if (time.is_everything()) return {0, store.find_head(tenant.text())};
    return store.find_range(tenant, time);
}

}  // namespace

Result<EntryPage> AuditLog::list(const Call& call, const ListEntries& wish) {
    SYNAPSEX_TRY(const auto time, time_range(wish.from, wish.to));
    SYNAPSEX_TRY(const auto key, api::decode_cursor(wish.cursor, [](std::string_view text) {
        return parse_number(text).has_value();
    }));
    const auto filter = filter_of(wish, time);
    const std::int64_t limit = wish.limit.value;
    return database_.read(call, [&](db::Session& session) -> Result<EntryPage> {
        AuditStore store{session};
        auto left = range_of(store, call.tenant, time);
        if (!key.empty()) left.through = std::min(left.through, *parse_number(key) - 1);
        const auto scanned_to = std::max(left.after, left.through - kScannedMax);
        std::vector<EntryRow> rows;
        while (left.through > scanned_to && std::ssize(rows) <= limit) {
            const SequenceRange window{std::max(scanned_to, left.through - kWindow), left.through};
            const auto wanted = limit + 1 - std::ssize(rows);
            std::ranges::move(
                store.list_newest(call.tenant, window, filter, wanted), std::back_inserter(rows)
            );
            left.through = window.after;
        }
        EntryPage page;
        page.next_cursor = api::cut_page(rows, limit, [](const EntryRow& row) {
            return std::to_string(row.sequence);
        });
        if (!page.next_cursor && left.through > left.after)
            page.next_cursor = api::encode_cursor(std::to_string(left.through + 1));
        for (auto& row : rows) page.items.push_back(view(std::move(row)));
        return page;
    });
}

Result<AuditEntry> AuditLog::get(const Call& call, const EntryPath& path) {
    return database_.read(call, [&](db::Session& session) -> Result<AuditEntry> {
        auto row = AuditStore{session}.find(call.tenant, path.entry_id);
        if (!row)
            return Problem{
                Kind::not_found, "audit.entry_not_found",
                "There is no such entry. What happened a moment ago may not be in the log yet."
            };
        return view(*std::move(row));
    });
}

Result<Done> AuditLog::tell_of_export(const Call& call, const ExportEntries& wish) {
    const auto now = clock_.now();
    const auto news = outbox::MessageId::make(now, random_);
    api::JsonObjectText data;
    if (wish.from) data.add_text("from", format_rfc3339(*wish.from));
    if (wish.to) data.add_text("to", format_rfc3339(*wish.to));
    data.add("isFirstPage", wish.cursor ? "false" : "true");
    const auto text = data.finish();
    return database_.write(call, [&](db::Session& session) -> Result<Done> {
        outbox::add(
            session, call,
            {news, now, "audit.exported", call.tenant.text(), text, outbox::MessageKind::audit}
        );
        return Done{};
    });
}

Result<api::Lines<AuditEntry>> AuditLog::export_entries(
    const Call& call, const ExportEntries& wish
) {
    SYNAPSEX_TRY(const auto time, time_range(wish.from, wish.to));
    SYNAPSEX_TRY(const auto key, api::decode_cursor(wish.cursor, [](std::string_view text) {
        return parse_range(text).has_value();
    }));
    SYNAPSEX_CHECK(tell_of_export(call, wish));
    const std::int64_t limit = wish.limit.value;
    using Lines = api::Lines<AuditEntry>;
    return database_.read(call, [&](db::Session& session) -> Result<Lines> {
        AuditStore store{session};
        auto left = key.empty() ? range_of(store, call.tenant, time) : *parse_range(key);
        const auto scanned_to = std::min(left.through, left.after + kScannedMax);
        Lines lines;
        std::size_t bytes = 0;
        while (left.after < scanned_to && std::ssize(lines.items) < limit &&
               bytes < kExportBytesMax) {
            const SequenceRange window{left.after, std::min(scanned_to, left.after + kWindow)};
            const auto wanted = std::min(kLinesAtOnce, limit - std::ssize(lines.items));
            auto rows = store.list_oldest(call.tenant, window, time, wanted);
            left.after = std::ssize(rows) < wanted ? window.through : rows.back().sequence;
            for (auto& row : rows) {
                bytes += row.data.size() + row.actor.size() + sizeof row;
                lines.items.push_back(view(std::move(row)));
            }
        }
        if (left.after < left.through)
            lines.next_cursor = api::encode_cursor(
                std::to_string(left.after) + '-' + std::to_string(left.through)
            );
        return lines;
    });
}

}  // namespace synapsex::audit

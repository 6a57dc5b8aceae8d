#pragma once

// What the OpenAPI document says about the structs of /v1/audit. Included by api.cpp only.

#include "controlplane/services/audit/api.hpp"

namespace synapsex::api {

template <>
inline constexpr Doc kDocOf<audit::Actor>{
    "One of the chain of who asked.",
    {{{"type", "user, session, api_key, agent, local_operator (at the server's own machine) or "
               "system.",
       R"("api_key")"},
      {"id", "Which one.", R"("key_01jgjz2m1xq3v5n8b7w6t4r2e0")"}}}
};
template <>
inline constexpr Doc kDocOf<audit::AuditEntry>{
    "Something that happened in the tenant. It is never changed.",
    {{{"id", "The entry; an event of the same fact has the same id."},
      {"sequence", "Its place in the tenant's log: 1, 2, 3 without a gap.", "17"},
      {"time", "When it happened."},
      {"recorded_at", "When it came into the log."},
      {"action", "What happened: a noun, a dot, a verb.", R"("api_key.created")"},
      {"subject", "The id of what it happened to; of access.denied the operation.",
       R"("key_01jgjz2m1xq3v5n8b7w6t4r2e0")"},
      {"actor", "Who asked, the first one first: a user and the session or API key that spoke for "
                "it. Empty for who had no credential, as a VM that enrolls."},
      {"on_behalf_of", "For whom; null: for the actor."},
      {"request_id", "Of the request, as X-Request-Id had it; of work that no request asked "
                     "for, the name of the task."},
      {"decision_id", "Of the policy decision; null without one."},
      {"client_address", "Where the request came from.", R"("192.0.2.7")"},
      {"argument_digest", "HMAC-SHA-256 of the request's body, hex, with a key of the server; "
                          "null for what had none."},
      {"data", "More about it: usually the subject afterwards, without secrets. In place of more "
               "than 8 KiB {\"omittedBytes\": …} stands there.",
       R"({"name":"robot"})"},
      {"hash", "SHA-256 of the message's line in the outbox that it came from, hex."},
      {"prev_hash", "The hash of the line before it in that outbox, which may be of another "
                    "tenant; empty for the first."}}}
};
template <>
inline constexpr Doc kDocOf<audit::ListEntries>{
    "Which page of entries. Filters that are given have to fit all.",
    {{{"actor", "Who asked: the id of a user, API key, session or agent, anywhere in the chain.",
       R"("usr_01jgjz2m1xq3v5n8b7w6t4r2e0")"},
      {"action", "What happened: the whole action, or its beginning with a dot at the end.",
       R"("api_key.")"},
      {"subject", "The id of what it happened to."},
      {"request_id", "Of one request."},
      {"client_address", "Where the request came from.", R"("192.0.2.7")"},
      {"from", "What happened then or later.", R"("2026-01-02T00:00:00Z")"},
      {"to", "What happened before then.", R"("2026-01-03T00:00:00Z")"}}},
    &kPageDoc};
template <>
inline constexpr Doc kDocOf<audit::EntryPage>{
    "Entries, newest first.",
    {{{"items", "The entries."}}},
    &kPageDoc};
template <>
inline constexpr Doc kDocOf<audit::EntryPath>{"An entry.", {{{"entry_id", "The entry."}}}};
template <>
inline constexpr Doc kDocOf<audit::ExportEntries>{
    "Which part of an export.",
    {{{"from", "What happened then or later; left out, from the first entry.",
       R"("2026-01-02T00:00:00Z")"},
      {"to", "What happened before then; left out, to the last entry.",
       R"("2026-01-03T00:00:00Z")"},
      {"limit", "How many lines at most.", "1000"},
      {"cursor", "Of the Link header of the answer before; left out for the first."}}}
};

}  // namespace synapsex::api

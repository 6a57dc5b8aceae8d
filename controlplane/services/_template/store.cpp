#include "controlplane/services/_template/store.hpp"

#include <array>

namespace synapsex::_template {

namespace {

using db::Query;

constexpr Query kInsertNote{"_template.insert_note", R"sql(
    INSERT INTO _template_notes (tenant_id, note_id, text, created_at)
    VALUES ($1, $2, $3, $4))sql"};
constexpr Query kFindNote{"_template.find_note", R"sql(
    SELECT note_id AS id, text, created_at FROM _template_notes
    WHERE tenant_id = $1 AND note_id = $2)sql"};
constexpr Query kListNotesById{"_template.list_notes", R"sql(
    SELECT note_id AS id, text, created_at FROM _template_notes
    WHERE tenant_id = $1 AND note_id > $2 ORDER BY note_id LIMIT $3)sql"};

constexpr std::array kQueries{&kInsertNote, &kFindNote, &kListNotesById};

}  // namespace

std::span<const Query* const> NoteStore::queries() { return kQueries; }

void NoteStore::insert(const TenantId& tenant, const Note& note) {
    session_.execute(kInsertNote, tenant, note.id, note.text, note.created_at);
}

std::optional<Note> NoteStore::find(const TenantId& tenant, const NoteId& note) {
    return session_.find<Note>(kFindNote, tenant, note);
}

std::vector<Note> NoteStore::list(
    const TenantId& tenant, std::string_view after, std::int64_t limit
) {
    return session_.list<Note>(kListNotesById, tenant, after, limit);
}

}  // namespace synapsex::_template

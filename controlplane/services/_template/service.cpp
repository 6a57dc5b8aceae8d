#include "controlplane/services/_template/service.hpp"

#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/_template/store.hpp"

namespace synapsex::_template {

Result<Note> Notes::create(const Call& call, const CreateNote& wish) {
    const auto now = clock_.now();
    const Note note{NoteId::make(now, random_), wish.text.value, now};
    const auto news = outbox::MessageId::make(now, random_);
    return database_.write(call, [&](db::Session& session) -> Result<Note> {
        NoteStore{session}.insert(call.tenant, note);
        outbox::add(session, call, {news, now, "_template.note_created", note.id.text()});
        return note;
    });
}

Result<Note> Notes::get(const Call& call, const NotePath& path) {
    return database_.read(call, [&](db::Session& session) -> Result<Note> {
        auto note = NoteStore{session}.find(call.tenant, path.note_id);
        if (!note)
            return Problem{
                Kind::not_found, "_template.note_not_found", "There is no such note."
            };
        return *std::move(note);
    });
}

Result<NotePage> Notes::list(const Call& call, const ListNotes& wish) {
    SYNAPSEX_TRY(const std::string after, api::decode_id_cursor<NoteId>(wish.cursor));
    const std::int64_t limit = wish.limit.value;
    return database_.read(call, [&](db::Session& session) -> Result<NotePage> {
        NotePage page;
        page.items = NoteStore{session}.list(call.tenant, after, limit + 1);
        page.next_cursor =
            api::cut_page(page.items, limit, [](const Note& note) { return note.id.text(); });
        return page;
    });
}

}  // namespace synapsex::_template

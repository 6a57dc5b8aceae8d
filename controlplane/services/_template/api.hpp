#pragma once

// /v1/_template/notes: the contract and nothing else.

#include <optional>
#include <string>
#include <vector>

#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/api/page.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/ids.hpp"
#include "shared/base/time.hpp"

namespace synapsex::_template {

struct NoteTag { static constexpr std::string_view kPrefix = "note_"; };
using NoteId = Id<NoteTag>;

struct CreateNote {
    Text<1, 1000> text{};
};
BOOST_DESCRIBE_STRUCT(CreateNote, (), (text))

struct Note {
    NoteId id{};
    std::string text{};
    Timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(Note, (), (id, text, created_at))

struct NotePath {
    NoteId note_id{};
};
BOOST_DESCRIBE_STRUCT(NotePath, (), (note_id))

struct ListNotes {
    api::PageLimit limit{};
    std::optional<api::Cursor> cursor{};
};
BOOST_DESCRIBE_STRUCT(ListNotes, (), (limit, cursor))

struct NotePage {
    std::vector<Note> items{};
    std::optional<std::string> next_cursor{};
};
BOOST_DESCRIBE_STRUCT(NotePage, (), (items, next_cursor))

inline constexpr api::Operation<CreateNote, Note> kCreateNote{
    .id = "_template.notes.create", .method = api::Verb::post, .path = "/v1/_template/notes",
    .access = auth::signed_in(), .success = 201, .summary = "Make a note."};
inline constexpr api::Operation<NotePath, Note> kGetNote{
    .id = "_template.notes.get", .path = "/v1/_template/notes/{noteId}",
    .access = auth::signed_in(), .summary = "Read a note."};
inline constexpr api::Operation<ListNotes, NotePage> kListNotes{
    .id = "_template.notes.list", .path = "/v1/_template/notes", .access = auth::signed_in(),
    .summary = "List notes, oldest first."};

}  // namespace synapsex::_template

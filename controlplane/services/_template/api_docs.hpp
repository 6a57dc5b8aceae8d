#pragma once

// What the OpenAPI document says about the structs of /v1/_template. Included by api.cpp only.

#include "controlplane/services/_template/api.hpp"

namespace synapsex::api {

template <>
inline constexpr Doc kDocOf<_template::CreateNote>{
    "A note to be made.", {{{"text", "What it says.", R"("Water the servers")"}}}
};
template <>
inline constexpr Doc kDocOf<_template::Note>{
    "A note of a tenant.",
    {{{"id", "The note."},
      {"text", "What it says.", R"("Water the servers")"},
      {"created_at", "When it was made."}}}
};
template <>
inline constexpr Doc kDocOf<_template::NotePath>{"A note.", {{{"note_id", "The note."}}}};
template <>
inline constexpr Doc kDocOf<_template::ListNotes>{"Which page of notes.", {}, &kPageDoc};
template <>
inline constexpr Doc kDocOf<_template::NotePage>{
    "Notes, oldest first.",
    {{{"items", "The notes."}}},
    &kPageDoc};

}  // namespace synapsex::api

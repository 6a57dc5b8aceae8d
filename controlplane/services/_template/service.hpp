#pragma once

// The rules of template-service.

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/_template/api.hpp"
#include "shared/base/random.hpp"

namespace synapsex::_template {

class Notes {
 public:
    Notes(db::Database& database, const Clock& clock, Random& random)
        : database_(database), clock_(clock), random_(random) {}

    Result<Note> create(const Call& call, const CreateNote& wish);
    // Kind::not_found _template.note_not_found.
    Result<Note> get(const Call& call, const NotePath& path);
    Result<NotePage> list(const Call& call, const ListNotes& wish);

 private:
    db::Database& database_;
    const Clock& clock_;
    Random& random_;
};

}  // namespace synapsex::_template

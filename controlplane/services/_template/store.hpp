#pragma once

// The SQL of template-service. No rules, no clock.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/_template/api.hpp"

namespace synapsex::_template {

class NoteStore {
 public:
    explicit NoteStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    void insert(const TenantId& tenant, const Note& note);
    std::optional<Note> find(const TenantId& tenant, const NoteId& note);
    // By id, those after `after`, at most `limit`.
    std::vector<Note> list(const TenantId& tenant, std::string_view after, std::int64_t limit);

 private:
    db::Session& session_;
};

}  // namespace synapsex::_template

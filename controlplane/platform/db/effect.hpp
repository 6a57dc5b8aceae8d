#pragma once

// What belongs to an operation's one effect beside the rows of its service: the stored answer, so
// that a retry finds it (platform/idempotency). A Call carries it inward; Database::write tells it
// of what the closure made, in the same transaction, before the commit.

#include <typeinfo>

#include "shared/base/result.hpp"

namespace synapsex::db {

class Session;

// The value that a closure returned.
struct Made {
    const std::type_info& type;
    const void* value;
};

class Effect {
 public:
    virtual ~Effect() = default;
    // May run more than once, as the closure may. A Problem undoes all and is what the write
    // answers.
    virtual Result<Done> record(Session& session, const Made& made) = 0;
};

}  // namespace synapsex::db

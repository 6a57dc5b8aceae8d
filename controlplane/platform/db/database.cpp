#include "controlplane/platform/db/database.hpp"

namespace synapsex::db {

namespace {

// One flag for all databases: a closure of one may not wait for another either.
thread_local bool is_inside_transaction = false;

}  // namespace

Problem busy(std::string detail) {
    return Problem{
        .kind = Kind::unavailable,
        .code = "database.busy",
        .detail = std::move(detail),
        .retry_after = std::chrono::seconds{1},
    };
}

Database::InsideTransaction::InsideTransaction() {
    is_inside_transaction = true;
}

Database::InsideTransaction::~InsideTransaction() {
    is_inside_transaction = false;
}

void Database::refuse_nesting() {
    if (is_inside_transaction) throw NestedTransaction("a transaction was started inside another");
}

}  // namespace synapsex::db

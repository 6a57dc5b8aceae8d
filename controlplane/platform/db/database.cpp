#include "controlplane/platform/db/database.hpp"

#include "shared/base/utf8.hpp"

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

void Session::refuse_broken_text(const Query& query, std::span<const Value> values) {
    for (const auto& value : values) {
        const auto* text = std::get_if<std::string>(&value.data);
        if (!text || value.type == ValueType::blob) continue;
        if (text->find('\0') != text->npos || !count_code_points(*text))
            throw DatabaseError(
                std::string{query.name} + ": a text with a zero byte, or that is no UTF-8"
            );
    }
}

void Session::append(const Query& insert, std::string tenant, std::string line) {
    const auto refuse = [&](const char* why) {
        throw DatabaseError(std::string{insert.name} + ": " + why);
    };
    if (is_reading_) refuse("a read leaves nothing");
    if (line.find('\n') != line.npos) refuse("a line with an end in it");
    appended_.push_back({&insert, std::move(tenant), std::move(line)});
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

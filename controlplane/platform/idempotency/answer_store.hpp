#pragma once

// Every statement about platform_stored_answers.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "controlplane/platform/db/database.hpp"
#include "shared/base/describe.hpp"
#include "shared/base/ids.hpp"

namespace synapsex::idempotency {

// Whose answer to what. The same key of another caller, or for another operation, is another key.
struct AnswerPlace {
    TenantId tenant_id;
    std::string principal;
    std::string operation;
    std::string key_hash;
};

struct AnswerRow {
    std::string request_hash;
    std::int64_t status = 0;
    std::string answer;
};
BOOST_DESCRIBE_STRUCT(AnswerRow, (), (request_hash, status, answer))

class AnswerStore {
 public:
    explicit AnswerStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // Unless it has expired.
    std::optional<AnswerRow> find(const AnswerPlace& place);
    // False if the place has an answer that has not expired.
    bool insert(const AnswerPlace& place, const AnswerRow& row, std::chrono::seconds kept_for);
    // Removes at most `limit` that have expired; how many it were.
    std::int64_t prune(std::int64_t limit);

 private:
    db::Session& session_;
};

}  // namespace synapsex::idempotency

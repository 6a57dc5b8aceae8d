#pragma once

// api::Answers over a database: the answer stands in the transaction of the effect, so there is
// never one without the other, whatever dies in between.

#include <mutex>
#include <set>
#include <string>

#include "controlplane/platform/api/answers.hpp"
#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/metrics.hpp"
#include "shared/base/random.hpp"

namespace synapsex::idempotency {

inline constexpr std::chrono::hours kAnswersKeptFor{24};

class StoredAnswers final : public api::Answers {
 public:
    // All outlive it. `name` is the label of the database in metrics.
    StoredAnswers(
        db::Database& database, Random& random, Metrics& metrics, const std::string& name
    );

    api::Outcome once(
        const Call& call,
        const api::OperationInfo& operation,
        const api::RequestParts& parts,
        const api::AnswerEncoder& encoder,
        const std::function<api::Outcome(const Call&)>& run
    ) override;

    // Removes what has expired, until the call's deadline.
    Result<Done> prune(const Call& call, const Clock& clock);

 private:
    class Request;
    class Recording;
    class Turn;

    // What an earlier request left: its answer, or the Problem that this one is another.
    std::optional<api::Reply> find(const Call& call, const Request& request);

    db::Database& database_;
    Random& random_;
    Counter& stored_;
    Counter& replayed_;
    Counter& refused_;
    std::mutex mutex_;
    std::set<std::string> running_;
};

}  // namespace synapsex::idempotency

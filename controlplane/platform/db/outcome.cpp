#include "controlplane/platform/db/outcome.hpp"

#include "shared/base/log.hpp"

namespace synapsex::db {

std::optional<Problem> settle(
    Outcome outcome, std::string_view database, std::chrono::milliseconds slow_time
) {
    if (outcome.took > slow_time) {
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(outcome.took);
        log_warning(
            "slow transaction",
            {{"database", database}, {"query", outcome.slowest_query}, {"durationMs", took.count()}}
        );
    }
    if (outcome.failure) std::rethrow_exception(std::move(outcome.failure));
    return std::move(outcome.refusal);
}

}  // namespace synapsex::db

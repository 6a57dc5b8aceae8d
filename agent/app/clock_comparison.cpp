#include "agent/app/clock_comparison.hpp"

#include <algorithm>

namespace synapsex::agent {

using Outcome = ConnectionStep::Outcome;
using std::chrono::seconds;

namespace {
// As much as a certificate or a job may be off by before people wonder.
constexpr seconds kDifferenceMax{60};
}  // namespace

ConnectionStep compare_clocks(const DatedAnswer& answer) {
    // How far this clock is ahead, at least and at most.
    const auto least = std::chrono::floor<seconds>(answer.asked_at - answer.date - seconds{1});
    const auto most = std::chrono::ceil<seconds>(answer.answered_at - answer.date);
    if (least <= seconds{0} && most >= seconds{0}) {
        const auto took = (most - least).count();
        const auto doubt = ", as far as an answer that took " + std::to_string(took) + " s tells";
        return {"clock", Outcome::ok, {}, "as the server's" + (took > 3 ? doubt : "")};
    }
    const bool is_behind = most < seconds{0};
    const auto nearest = is_behind ? -most : least;
    const auto farthest = is_behind ? -least : most;
    const auto text = "this machine's clock is " + std::to_string(nearest.count()) + " to " +
                      std::to_string(farthest.count()) + " s " +
                      (is_behind ? "behind" : "ahead of") + " the server's";
    if (nearest <= kDifferenceMax) return {"clock", Outcome::ok, {}, text};
    return {"clock", Outcome::failed, {}, text,
            "Set it right: `timedatectl` says whether it is kept. Samples carry its time, and the "
            "end of a pause goes by it."};
}

}  // namespace synapsex::agent

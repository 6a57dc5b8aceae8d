#include "agent/core/enrollment.hpp"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.hpp"

namespace synapsex::agent {
namespace {

using Kind = CallFailure::Kind;

struct Case {
    CallFailure failure;
    bool is_repeated;
};

TEST(Enrollment, repeats_what_may_pass_and_gives_up_on_what_cannot) {
    const Case cases[] = {
        {{.kind = Kind::unreachable}, true},
        {{.kind = Kind::timeout}, true},
        {{.kind = Kind::cut}, true},
        {{.kind = Kind::unreadable}, true},
        {{.kind = Kind::canceled}, false},
        {{.kind = Kind::refused, .status = 301}, true},
        {{.kind = Kind::refused, .status = 400, .code = "request.invalid"}, false},
        {{.kind = Kind::refused, .status = 401, .code = "enrollment.token_unknown"}, false},
        {{.kind = Kind::refused, .status = 403, .code = "enrollment.forbidden"}, false},
        {{.kind = Kind::refused, .status = 403}, true},
        {{.kind = Kind::refused, .status = 404, .code = "request.no_route"}, false},
        {{.kind = Kind::refused, .status = 404}, true},
        {{.kind = Kind::refused, .status = 408}, true},
        {{.kind = Kind::refused, .status = 409, .code = "enrollment.key_taken"}, false},
        {{.kind = Kind::refused, .status = 410, .code = "enrollment.token_expired"}, false},
        {{.kind = Kind::refused, .status = 422, .code = "request.invalid"}, false},
        {{.kind = Kind::refused, .status = 422}, true},
        {{.kind = Kind::refused, .status = 425}, true},
        {{.kind = Kind::refused, .status = 429, .code = "rate.limited"}, true},
        {{.kind = Kind::refused, .status = 500}, true},
        {{.kind = Kind::refused, .status = 503}, true},
    };
    testing::SeededRandom random;
    for (const auto& each : cases) {
        Enrollment enrollment{random};
        const auto verdict = enrollment.on_failed(each.failure);
        EXPECT_EQ(std::holds_alternative<Enrollment::Retry>(verdict), each.is_repeated)
            << static_cast<int>(each.failure.kind) << " " << each.failure.status;
    }
}

TEST(Enrollment, tells_the_operator_what_the_server_said) {
    testing::SeededRandom random;
    Enrollment enrollment{random};
    const auto verdict = enrollment.on_failed(
        {.kind = Kind::refused,
         .status = 410,
         .code = "enrollment.token_expired",
         .detail = "The token expired yesterday."}
    );
    EXPECT_EQ(std::get<Enrollment::GiveUp>(verdict).reason,
              "The control plane refuses the enrollment (410 enrollment.token_expired): "
              "The token expired yesterday.");
}

TEST(Enrollment, waits_at_least_as_long_as_retry_after_says) {
    testing::SeededRandom random;
    Enrollment enrollment{random};
    const auto verdict = enrollment.on_failed(
        {.kind = Kind::refused,
         .status = 429,
         .code = "",
         .detail = "",
         .retry_after = std::chrono::seconds{30}}
    );
    EXPECT_GE(std::get<Enrollment::Retry>(verdict).wait, std::chrono::seconds{30});
}

}  // namespace
}  // namespace synapsex::agent

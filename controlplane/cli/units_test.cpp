#include "controlplane/cli/units.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "controlplane/cli/exit_code.hpp"
#include "tests/support/fake_clock.hpp"

namespace synapsex::cli {
namespace {

using std::chrono::seconds;

TEST(Units, bytes_have_a_sensible_unit) {
    EXPECT_EQ(format_bytes(0), "0 B");
    EXPECT_EQ(format_bytes(1023), "1023 B");
    EXPECT_EQ(format_bytes(1024), "1 KiB");
    EXPECT_EQ(format_bytes(2'040'109'466), "1.9 GiB");
    EXPECT_EQ(format_bytes(128'849'018'880), "120 GiB");
    EXPECT_EQ(format_bytes(1024 * 1024 - 1), "1 MiB");
    EXPECT_EQ(format_bytes(std::numeric_limits<std::int64_t>::max()), "8 EiB");
    EXPECT_EQ(format_rate(1536), "1.5 KiB/s");
}

TEST(Units, bytes_that_are_known_roughly_have_no_digits_that_nobody_knows) {
    EXPECT_EQ(format_bytes_roughly(29'742'000'000), "28 GiB");
    EXPECT_EQ(format_bytes_roughly(2'040'109'466), "1.9 GiB");
    EXPECT_EQ(format_bytes_roughly(10'715'000'000), "10 GiB") << "9.98";
    EXPECT_EQ(format_bytes_roughly(0), "0 B");
}

TEST(Units, counts_have_separators) {
    EXPECT_EQ(format_count(0), "0");
    EXPECT_EQ(format_count(999), "999");
    EXPECT_EQ(format_count(1432), "1,432");
    EXPECT_EQ(format_count(-1'234'567), "-1,234,567");
}

TEST(Units, durations_show_their_two_largest_units) {
    EXPECT_EQ(format_duration(seconds{0}), "0 s");
    EXPECT_EQ(format_duration(seconds{42}), "42 s");
    EXPECT_EQ(format_duration(seconds{725}), "12 min 5 s");
    EXPECT_EQ(format_duration(seconds{3 * 86400 + 4 * 3600 + 59}), "3 d 4 h");
    EXPECT_EQ(format_duration(seconds{86400 + 59}), "1 d");
}

TEST(Units, instants_are_told_from_now) {
    const synapsex::testing::FakeClock clock;
    const auto now = clock.now();
    EXPECT_EQ(format_relative(std::nullopt, now), "never");
    EXPECT_EQ(format_relative(now, now), "just now");
    EXPECT_EQ(format_relative(now - seconds{200}, now), "3 min ago");
    EXPECT_EQ(format_relative(now + seconds{7200}, now), "in 2 h");
    EXPECT_EQ(format_instant(now), "2026-01-02 03:04:05Z");
}

TEST(Units, durations_are_read_as_people_write_them) {
    EXPECT_EQ(parse_duration("90s").value(), seconds{90});
    EXPECT_EQ(parse_duration("15m").value(), seconds{900});
    EXPECT_EQ(parse_duration("1h30m").value(), seconds{5400});
    EXPECT_EQ(parse_duration("2d").value(), seconds{172'800});
    EXPECT_EQ(parse_duration("1w1s").value(), seconds{604'801});
    EXPECT_EQ(parse_duration("3660d").value(), seconds{3660 * 86400});
}

TEST(Units, what_is_no_duration_is_refused) {
    for (const auto* text :
         {"", "0s", "5", "h", "1h ", " 1h", "-1h", "+1h", "1.5h", "1m1h", "1h1h", "1y", "1H",
          "1e3s", "99999999999999999999", "99999999999999999999y"}) {
        const auto problem = parse_duration(text).error();
        EXPECT_EQ(problem.code, "cli.usage");
        EXPECT_EQ(
            problem.detail,
            "\"" + std::string{text} + "\" is no duration; write 30s, 15m, 1h or 2d."
        );
    }
}

TEST(Units, a_duration_that_is_too_long_is_told_the_limit) {
    for (const auto* text :
         {"3660d1s", "11000d", "100000d", "99999999999999999999s", "9223372036854775807w"})
        EXPECT_EQ(
            parse_duration(text).error().detail,
            "\"" + std::string{text} + "\" is too long; at most 3660d."
        );
}

TEST(ExitCodes, every_kind_of_problem_has_its_number) {
    const auto code = [](Kind kind) {
        return static_cast<int>(exit_code_of({.kind = kind, .code = "", .detail = ""}));
    };
    EXPECT_EQ(code(Kind::internal), 1);
    EXPECT_EQ(code(Kind::invalid), 2);
    EXPECT_EQ(code(Kind::unprocessable), 2);
    EXPECT_EQ(code(Kind::unauthenticated), 3);
    EXPECT_EQ(code(Kind::forbidden), 3);
    EXPECT_EQ(code(Kind::not_found), 4);
    EXPECT_EQ(code(Kind::unavailable), 5);
    EXPECT_EQ(code(Kind::deadline_exceeded), 5);
    EXPECT_EQ(code(Kind::conflict), 6);
    EXPECT_EQ(code(Kind::precondition_failed), 6);
    EXPECT_EQ(code(Kind::precondition_required), 6);
    EXPECT_EQ(code(Kind::rate_limited), 7);
}

}  // namespace
}  // namespace synapsex::cli

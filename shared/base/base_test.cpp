#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <set>
#include <utility>

#include "shared/base/backoff.hpp"
#include "shared/base/describe.hpp"
#include "shared/base/ids.hpp"
#include "shared/base/log.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/base/utf8.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex {
namespace {

using namespace std::chrono_literals;
using testing::FakeClock;
using testing::SeededRandom;

TEST(Rfc3339, formats_and_reads_back) {
    for (const auto* text : {"2026-01-02T03:04:05Z", "1970-01-01T00:00:00Z",
                             "2024-02-29T23:59:59.000001Z", "9999-12-31T00:00:00.123456Z"}) {
        const auto instant = parse_rfc3339(text);
        ASSERT_TRUE(instant) << text;
        EXPECT_EQ(format_rfc3339(*instant), text);
    }
}

TEST(Rfc3339, reads_offsets_and_short_fractions) {
    EXPECT_EQ(parse_rfc3339("2026-01-02T05:04:05+02:00"), parse_rfc3339("2026-01-02T03:04:05Z"));
    EXPECT_EQ(
        parse_rfc3339("2026-01-02t03:04:05.5z"), *parse_rfc3339("2026-01-02T03:04:05Z") + 500ms
    );
}

TEST(Rfc3339, writes_the_nearest_instant_it_has_for_those_out_of_its_years) {
    EXPECT_EQ(format_rfc3339(Timestamp::min()), "0001-01-01T00:00:00Z");
    EXPECT_EQ(format_rfc3339(Timestamp::max()), "9999-12-31T23:59:59.999999Z");
    EXPECT_EQ(parse_rfc3339("0001-01-01T00:00:00Z"), kInstantMin);
    EXPECT_EQ(parse_rfc3339("9999-12-31T23:59:59.999999Z"), kInstantMax);
}

TEST(Rfc3339, refuses_what_is_no_instant) {
    for (const auto* text :
         {"", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z",
          "2026-01-02T24:04:05Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05.Z",
          "2026-01-02T03:04:05+2:00", "2026-01-02T03:04:05Z ", "2026-01-02 03:04:05Z",
          "+026-01-02T03:04:05Z"})
        EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
}

// A pipe in the place of standard error, for as long as it lives.
class ErrorPipe {
 public:
    ErrorPipe() : saved_(::dup(STDERR_FILENO)) {
        EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
        ::dup2(ends_[1], STDERR_FILENO);
    }
    ~ErrorPipe() {
        ::dup2(saved_, STDERR_FILENO);
        for (const int end : {saved_, ends_[0], ends_[1]}) ::close(end);
    }
    ErrorPipe(const ErrorPipe&) = delete;
    ErrorPipe& operator=(const ErrorPipe&) = delete;

    void fill() {
        const std::string page(4096, 'x');
        pollfd room{ends_[1], POLLOUT, 0};
        while (::poll(&room, 1, 0) == 1) EXPECT_GT(::write(ends_[1], page.data(), page.size()), 0);
    }
    std::string read_all() {
        std::string text;
        std::array<char, 4096> bytes{};
        pollfd waiting{ends_[0], POLLIN, 0};
        while (::poll(&waiting, 1, 0) == 1) {
            const auto got = ::read(ends_[0], bytes.data(), bytes.size());
            if (got <= 0) break;
            text.append(bytes.data(), static_cast<std::size_t>(got));
        }
        return text;
    }
    void close_reader() { ::close(std::exchange(ends_[0], ::dup(saved_))); }

 private:
    int saved_;
    std::array<int, 2> ends_{};
};

TEST(Log, a_full_pipe_costs_lines_and_no_time_and_they_are_counted) {
    ErrorPipe pipe;
    pipe.fill();
    for (int i = 0; i < 3; ++i) log_error("nobody reads this");
    EXPECT_EQ(pipe.read_all().find("nobody"), std::string::npos);
    log_error("there is room again");
    const auto text = pipe.read_all();
    EXPECT_NE(text.find(R"("message":"log lines were dropped","lines":3})"), std::string::npos);
    EXPECT_NE(text.find("there is room again"), std::string::npos);
    log_error("and again");
    EXPECT_EQ(pipe.read_all().find("dropped"), std::string::npos);
}

TEST(Log, a_line_that_was_cut_does_not_swallow_the_next) {
    ErrorPipe pipe;
    log_error("long", {{"text", std::string(1024 * 1024, 'x')}});
    EXPECT_EQ(pipe.read_all().find('\n'), std::string::npos);
    log_error("short");
    const auto text = pipe.read_all();
    EXPECT_TRUE(text.starts_with("\n{")) << text;
    EXPECT_NE(text.find(R"("lines":1})"), std::string::npos) << text;
    EXPECT_NE(text.find("short"), std::string::npos) << text;
}

TEST(Log, a_pipe_that_nobody_will_read_does_not_end_the_program) {
    {
        ErrorPipe pipe;
        pipe.close_reader();
        log_error("to nobody");
    }
    ErrorPipe pipe;
    log_error("to somebody");
    EXPECT_NE(pipe.read_all().find("to somebody"), std::string::npos);
}

TEST(Deadline, counts_down_and_never_below_zero) {
    FakeClock clock;
    const auto deadline = Deadline::after(clock, 10s);
    clock.advance(4s);
    EXPECT_EQ(deadline.remaining(clock), 6s);
    EXPECT_FALSE(deadline.is_expired(clock));
    clock.advance(7s);
    EXPECT_EQ(deadline.remaining(clock), 0s);
    EXPECT_TRUE(deadline.is_expired(clock));
    EXPECT_FALSE(Deadline::never().is_expired(clock));
}

TEST(Id, sorts_by_time_and_reads_back_only_as_its_own_kind) {
    FakeClock clock;
    SeededRandom random;
    const auto first = VmId::make(clock.now(), random);
    clock.advance(1ms);
    const auto second = VmId::make(clock.now(), random);
    EXPECT_LT(first, second);
    EXPECT_EQ(VmId::parse(first.text()), first);
    EXPECT_EQ(AgentId::parse(first.text()), std::nullopt);
    EXPECT_EQ(AgentId::derived_from(first).ulid(), first.ulid());
}

TEST(Id, refuses_malformed_text) {
    const std::string good = "vm_01hv3ab8cdefghjkmnpqrstvwx";
    ASSERT_TRUE(VmId::parse(good));
    const std::vector<std::string> malformed{
        "", "vm_", good + "0", good.substr(0, good.size() - 1), "vm_01HV3AB8CDEFGHJKMNPQRSTVWX",
        "vm_81hv3ab8cdefghjkmnpqrstvwx", "vm_01hv3ab8cdefghijkmnpqrstvw"
    };
    for (const auto& text : malformed)
        EXPECT_FALSE(VmId::parse(text)) << text;
}

TEST(Random, below_stays_below_and_reaches_every_value) {
    SeededRandom random;
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(random.below(7));
    EXPECT_EQ(seen.size(), 7U);
    EXPECT_EQ(*seen.rbegin(), 6U);
    EXPECT_EQ(random.base62(22).size(), 22U);
}

TEST(Backoff, waits_anywhere_up_to_a_doubling_ceiling) {
    SeededRandom random;
    Backoff backoff{1s, 120s};
    auto ceiling = 1s;
    for (int attempt = 0; attempt < 20; ++attempt) {
        const auto wait = backoff.next(random);
        EXPECT_GE(wait, 0ms);
        EXPECT_LE(wait, ceiling);
        ceiling = std::min(ceiling * 2, std::chrono::seconds{120});
    }
    backoff.reset();
    EXPECT_LE(backoff.next(random), 1s);
}

TEST(Utf8, counts_code_points_and_refuses_broken_bytes) {
    EXPECT_EQ(count_code_points("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), 4U);
    for (const auto* text : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80",
                             "\xC3", "\xF0\x9F\x98", "\xFF"})
        EXPECT_EQ(count_code_points(text), std::nullopt);
}

TEST(Utf8, a_name_is_one_line_with_something_to_see) {
    for (const auto* name : {"ci", " a ", "\xC3\xA9", "\xE2\x82\xAC 5", "\xF0\x9F\x98\x80"})
        EXPECT_TRUE(is_name(name)) << name;
    for (const auto* blank : {"", "   ", "\xC2\xA0", "\xE2\x80\x83 ", "\xE3\x80\x80"})
        EXPECT_FALSE(is_name(blank)) << blank;
    for (const auto* control : {"a\nb", "a\t", "\x1B[31mred", "a\x7F", "a\xC2\x9B" "31m",
                                "a\xE2\x80\xA8z", "a\xE2\x80\xA9z", "a\xFF"})
        EXPECT_FALSE(is_name(control)) << control;
}

std::string logged(const std::function<void()>& write) {
    ::testing::internal::CaptureStderr();
    write();
    auto line = ::testing::internal::GetCapturedStderr();
    const auto message = line.find("\"message\"");
    return message == line.npos ? line : line.substr(message);
}

TEST(Log, a_name_stands_once_in_a_line_and_the_innermost_wins) {
    const LogScope outer{{"requestId", "req_1"}, {"tenantId", "outer"}};
    const LogScope inner{{"tenantId", "inner"}};
    EXPECT_EQ(
        logged([] { log_warning("m", {{"vms", 2}}); }),
        "\"message\":\"m\",\"requestId\":\"req_1\",\"tenantId\":\"inner\",\"vms\":2}\n"
    );
    EXPECT_EQ(
        logged([] { log_warning("m", {{"tenantId", "own"}}); }),
        "\"message\":\"m\",\"requestId\":\"req_1\",\"tenantId\":\"own\"}\n"
    );
}

TEST(Log, leaves_empty_text_out) {
    const LogScope scope{{"tenantId", ""}};
    EXPECT_EQ(
        logged([] { log_warning("m", {{"path", ""}, {"bytes", 0}}); }),
        "\"message\":\"m\",\"bytes\":0}\n"
    );
}

TEST(JsonString, escapes_controls_and_mends_broken_utf8) {
    std::string out;
    append_json_string(out, "a\"\\\n\x1B[31m\x7F\xFFz\xC3\xA9");
    EXPECT_EQ(out, "\"a\\\"\\\\\\n\\u001b[31m\\u007f\xEF\xBF\xBDz\xC3\xA9\"");
}

struct Sample {
    int first_value = 0;
    int b = 0;
};
BOOST_DESCRIBE_STRUCT(Sample, (), (first_value, b))
enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

TEST(Describe, names_members_in_camel_case_and_in_their_own) {
    std::vector<std::string> names;
    for_each_member<Sample>([&](std::string_view wire, std::string_view own, auto) {
        names.emplace_back(wire);
        names.emplace_back(own);
    });
    EXPECT_EQ(names, (std::vector<std::string>{"firstValue", "first_value", "b", "b"}));
}

TEST(Describe, finds_enumerators_by_name) {
    EXPECT_EQ(enum_name(Colour::green), "green");
    EXPECT_EQ(parse_enum<Colour>("red"), Colour::red);
    EXPECT_EQ(parse_enum<Colour>("blue"), std::nullopt);
}

Result<int> half(int number) {
    if (number % 2 != 0) return Problem{Kind::invalid, "test.odd", "odd"};
    return number / 2;
}

Result<int> quarter(int number) {
    SYNAPSEX_TRY(const int halved, half(number));
    SYNAPSEX_CHECK(half(halved));
    return half(halved);
}

TEST(Result, try_hands_the_problem_on) {
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_EQ(quarter(6).error().code, "test.odd");
    EXPECT_THROW(quarter(7).value(), BadResultAccess);
}

}  // namespace
}  // namespace synapsex

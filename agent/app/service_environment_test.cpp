#include "agent/app/service_environment.hpp"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Variables = std::map<std::string, std::string>;

// Each of these was given to systemd 252 and 257.
TEST(EnvironmentFile, is_read_as_systemd_reads_it) {
    const std::pair<std::string_view, Variables> texts[]{
        {"", {}},
        {"a=1\nb=2", {{"a", "1"}, {"b", "2"}}},
        {"# a=1\n  ; b=2\n c = 3 \n", {{"c", "3"}}},
        {"# it ends here \\\na=1", {{"a", "1"}}},
        {"https_proxy=\"http://a:p ss@proxy\"", {{"https_proxy", "http://a:p ss@proxy"}}},
        {"a='1 \"2\" \\3'", {{"a", "1 \"2\" \\3"}}},
        {R"(a="\"\\\$\`\n")", {{"a", "\"\\$`\\n"}}},
        {"a=\"1\" '2' 3 4  \nb=5", {{"a", "123 4"}, {"b", "5"}}},
        {"a=it's \"fine\"", {{"a", "it's \"fine\""}}},
        {R"(a=\ 1\\2\ )", {{"a", " 1\\2 "}}},
        {"a=1\\\n 2\nb=\"3\\\n4\"", {{"a", "1 2"}, {"b", "34"}}},
        {"a=$HOME #1", {{"a", "$HOME #1"}}},
        {"a=\nb=2", {{"a", ""}, {"b", "2"}}},
        {"export a=1\n1b=2\nnothing\n=3\nc=4\r\n", {{"c", "4"}}},
        {"a=1\na=2", {{"a", "2"}}},
        {"a=\"without an end\nb=2", {{"a", "without an end\nb=2"}}},
        {"a=1\\", {{"a", "1"}}},
        {"a=\"1\"2\"3\"\nb=1 \"2\"", {{"a", "12\"3\""}, {"b", "1 \"2\""}}},
        {"a='x'\\''y'\nb=\"x\\y\"", {{"a", "x''y'"}, {"b", "x\\y"}}},
    };
    for (const auto& [text, variables] : texts)
        EXPECT_EQ(parse_environment_file(text), variables) << text;
}

class ServiceEnvironmentTest : public ::testing::Test {
 protected:
    ServiceEnvironmentTest() { clear(); }
    ~ServiceEnvironmentTest() override { clear(); }
    static void clear() {
        for (const auto* name : {"https_proxy", "no_proxy", "SYNAPSEX_TEST"}) ::unsetenv(name);
    }
    static std::string value_of(const char* name) {
        const char* value = std::getenv(name);
        return value == nullptr ? "none" : value;
    }

    synapsex::testing::TemporaryFolder folder_;
    const std::filesystem::path file_ = folder_.path() / "agent.env";
};

TEST_F(ServiceEnvironmentTest, is_what_stands_in_its_file) {
    EXPECT_THAT(read_service_environment(file_, false)->variables, IsEmpty()) << "there is none";
    std::ofstream{file_} << "https_proxy=http://proxy:3128\nSYNAPSEX_TEST=1\n";
    EXPECT_THAT(
        read_service_environment(file_, false)->variables,
        ElementsAre(Pair("SYNAPSEX_TEST", "1"), Pair("https_proxy", "http://proxy:3128"))
    );
    std::ofstream{file_} << std::string(70'000, 'a');
    EXPECT_FALSE(read_service_environment(file_, false)) << "nobody guesses";
}

TEST_F(ServiceEnvironmentTest, goes_before_the_callers) {
    ::setenv("https_proxy", "http://shell:1", 1);
    ::setenv("no_proxy", "of-the-shell", 1);
    take_over({.variables = {{"https_proxy", "http://proxy:3128"}, {"SYNAPSEX_TEST", "1"}}});
    EXPECT_EQ(value_of("https_proxy"), "http://proxy:3128");
    EXPECT_EQ(value_of("SYNAPSEX_TEST"), "1");
    EXPECT_EQ(value_of("no_proxy"), "of-the-shell");
}

TEST_F(ServiceEnvironmentTest, of_a_unit_has_no_proxy_of_the_callers) {
    ::setenv("https_proxy", "http://shell:1", 1);
    ::setenv("no_proxy", "of-the-shell", 1);
    take_over({.variables = {{"https_proxy", "http://proxy:3128"}}, .is_unit = true});
    EXPECT_EQ(value_of("https_proxy"), "http://proxy:3128");
    EXPECT_EQ(value_of("no_proxy"), "none");
    take_over({.variables = {}, .is_unit = true});
    EXPECT_EQ(value_of("https_proxy"), "none");
}

}  // namespace
}  // namespace synapsex::agent

#include "agent/app/service_environment.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Variables = std::map<std::string, std::string>;

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
    };
    for (const auto& [text, variables] : texts)
        EXPECT_EQ(parse_environment_file(text), variables) << text;
}

class ServiceEnvironment : public ::testing::Test {
 protected:
    synapsex::testing::TemporaryFolder folder_;
    const std::filesystem::path file_ = folder_.path() / "agent.env";
};

TEST_F(ServiceEnvironment, is_what_stands_in_its_file) {
    std::ofstream{file_} << "https_proxy=http://proxy:3128\nSYNAPSEX_AGENT_NAME=web-1\n";
    EXPECT_THAT(
        *service_environment(file_, false),
        ElementsAre(
            Pair("SYNAPSEX_AGENT_NAME", "web-1"), Pair("https_proxy", "http://proxy:3128")
        )
    );
}

TEST_F(ServiceEnvironment, of_a_unit_has_no_proxy_of_the_callers) {
    auto change = *service_environment(file_, true);
    EXPECT_EQ(change.size(), 7U);
    for (const auto& [name, value] : change) EXPECT_FALSE(value) << name;

    std::ofstream{file_} << "https_proxy=http://proxy:3128\n";
    change = *service_environment(file_, true);
    EXPECT_EQ(change.at("https_proxy"), "http://proxy:3128");
    EXPECT_FALSE(change.at("no_proxy"));
}

TEST_F(ServiceEnvironment, is_the_callers_where_there_is_neither) {
    EXPECT_THAT(*service_environment(file_, false), IsEmpty());
}

TEST_F(ServiceEnvironment, is_not_guessed_where_its_file_cannot_be_read) {
    std::ofstream{file_} << std::string(70'000, 'a');
    EXPECT_FALSE(service_environment(file_, true));
}

TEST_F(ServiceEnvironment, is_taken_over_by_a_process) {
    apply({{"SYNAPSEX_TEST_SET", "1"}, {"SYNAPSEX_TEST_UNSET", "2"}});
    EXPECT_STREQ(std::getenv("SYNAPSEX_TEST_UNSET"), "2");
    apply({{"SYNAPSEX_TEST_UNSET", std::nullopt}});
    EXPECT_STREQ(std::getenv("SYNAPSEX_TEST_SET"), "1");
    EXPECT_EQ(std::getenv("SYNAPSEX_TEST_UNSET"), nullptr);
}

}  // namespace
}  // namespace synapsex::agent

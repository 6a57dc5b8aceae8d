#include <fstream>

#include "controlplane/cli/test_world.hpp"

namespace synapsex::cli::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class VmWatchTest : public CliTest {
 protected:
    VmWatchTest() { signed_in(); }

    static std::string vm(std::string_view last) {
        return vm_document(vm_members("web-1", kUlid, point_document(last)));
    }
};

TEST_F(VmWatchTest, prints_a_line_for_each_new_sample_where_nobody_looks) {
    server.answer(200, R"({"liveUntil":"2026-01-02T03:05:05Z"})");
    server.answer(200, vm("2026-01-02T03:04:00Z"));
    server.answer(200, page(point_document("2026-01-02T03:04:00Z")));
    server.answer(200, vm("2026-01-02T03:04:00Z"));
    server.answer(200, page(""));
    server.answer(200, vm("2026-01-02T03:04:15Z"));
    server.answer(200, page(point_document("2026-01-02T03:04:15Z", "7.5")));
    waits_left = 2;
    EXPECT_EQ(run({"vms", "watch", id("vm_")}), 0) << err.str();
    EXPECT_EQ(
        out.str(),
        "2026-01-02 03:04:00Z  web-1  online  load 0.42  cpu 12.5 %  memory 50.0 %  disk read "
        "1 KiB/s write 2 KiB/s  network in 10 B/s out 20 B/s\n"
        "2026-01-02 03:04:15Z  web-1  online  load 7.50  cpu 12.5 %  memory 50.0 %  disk read "
        "1 KiB/s write 2 KiB/s  network in 10 B/s out 20 B/s\n"
    );
    ASSERT_EQ(server.requests.size(), 7u);
    EXPECT_THAT(server.requests[0].url, HasSubstr("/watch"));
    EXPECT_THAT(server.requests[4].url, HasSubstr("03%3A04%3A00.000001Z")) << "after the last one";
}

TEST_F(VmWatchTest, asks_for_live_samples_again_before_the_last_request_runs_out) {
    for (int i = 0; i < 20; ++i) {
        if (i % 15 == 0) server.answer(200, R"({"liveUntil":"2026-01-02T03:05:05Z"})");
        server.answer(200, vm("2026-01-02T03:04:00Z"));
        server.answer(200, page(""));
    }
    waits_left = 19;
    EXPECT_EQ(run({"vms", "watch", id("vm_")}), 0) << err.str();
    EXPECT_TRUE(server.answers.empty());
    EXPECT_EQ(
        std::ranges::count_if(
            server.requests, [](const auto& request) { return request.method == "POST"; }
        ),
        2
    );
}

TEST_F(VmWatchTest, goes_on_after_an_outage_and_mentions_it_once) {
    server.answer(200, R"({"liveUntil":"2026-01-02T03:05:05Z"})");
    server.fail(Kind::unavailable, net::kUnreachable);
    server.fail(Kind::unavailable, net::kUnreachable);
    server.answer(200, vm("2026-01-02T03:04:00Z"));
    server.answer(200, page(point_document("2026-01-02T03:04:00Z")));
    waits_left = 2;
    EXPECT_EQ(run({"vms", "watch", id("vm_")}), 0);
    EXPECT_EQ(err.str(), "Trying again: It failed.\n");
    EXPECT_THAT(out.str(), HasSubstr("03:04:00Z"));
}

TEST_F(VmWatchTest, ends_when_the_vm_is_gone) {
    server.refuse(404, "vms.not_found", "There is no such VM.");
    waits_left = 5;
    EXPECT_EQ(run({"vms", "watch", id("vm_")}), 4);
}

TEST_F(VmWatchTest, draws_in_place_on_a_terminal) {
    is_terminal = true;
    server.answer(200, R"({"liveUntil":"2026-01-02T03:05:05Z"})");
    server.answer(200, vm("2026-01-02T03:04:00Z"));
    server.answer(200, page(point_document("2026-01-02T03:04:00Z")));
    server.answer(200, vm("2026-01-02T03:04:15Z"));
    server.answer(200, page(point_document("2026-01-02T03:04:15Z")));
    waits_left = 1;
    EXPECT_EQ(run({"vms", "watch", id("vm_")}), 0);
    EXPECT_THAT(out.str(), HasSubstr("\x1b[6A\r")) << "up by the lines of the first picture";
    EXPECT_THAT(out.str(), HasSubstr("\x1b[32monline\x1b[0m"));
}

TEST_F(VmWatchTest, prints_the_apis_items_as_lines_of_json) {
    const auto sample = point_document("2026-01-02T03:04:00Z", "0.5");
    server.answer(200, R"({"liveUntil":"2026-01-02T03:05:05Z"})");
    server.answer(200, vm("2026-01-02T03:04:00Z"));
    server.answer(200, page(sample));
    EXPECT_EQ(run({"--json", "vms", "watch", id("vm_"), "--count", "1"}), 0);
    EXPECT_THAT(out.str(), HasSubstr(R"({"at":"2026-01-02T03:04:00Z")"));
    EXPECT_EQ(std::ranges::count(out.str(), '\n'), 1);
}

std::string two_vms(std::string_view first, std::string_view second, const std::string& cursor) {
    return page(
        "{" + vm_members("web-1", kUlid, point_document(first)) + "},{" +
            vm_members("web-2", kUlid2, point_document(second)) + "}",
        cursor
    );
}
constexpr const char* kLive = R"({"liveUntil":"2026-01-02T03:05:05Z"})";

TEST_F(VmWatchTest, prints_no_more_samples_than_were_asked_for) {
    server.answer(200, two_vms("2026-01-02T03:04:00Z", "2026-01-02T03:04:00Z", ""));
    server.answer(200, kLive);
    server.answer(200, kLive);
    server.answer(200, two_vms("2026-01-02T03:04:15Z", "2026-01-02T03:04:15Z", ""));
    waits_left = 5;
    EXPECT_EQ(run({"vms", "watch", "--count", "3"}), 0) << err.str();
    EXPECT_EQ(std::ranges::count(out.str(), '\n'), 3);
    EXPECT_THAT(out.str(), Not(HasSubstr("03:04:15Z  web-2")));
}

TEST_F(VmWatchTest, counts_on_a_terminal_only_what_is_new_and_not_the_past_that_it_draws) {
    is_terminal = true;
    server.answer(200, kLive);
    server.answer(200, vm("2026-01-02T03:04:15Z"));
    server.answer(
        200, page(point_document("2026-01-02T03:04:00Z") + "," +
                  point_document("2026-01-02T03:04:15Z"))
    );
    server.answer(200, vm("2026-01-02T03:04:30Z"));
    server.answer(200, page(point_document("2026-01-02T03:04:30Z")));
    waits_left = 5;
    EXPECT_EQ(run({"vms", "watch", id("vm_"), "--count", "2"}), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("03:04:30Z"));
    EXPECT_TRUE(server.answers.empty());
}

TEST_F(VmWatchTest, says_by_its_exit_code_that_it_was_stopped_before_the_last_sample) {
    for (const auto& [how, code] : {std::pair{Stop::interrupted, 130}, {Stop::terminated, 143}}) {
        server.answer(200, kLive);
        server.answer(200, vm("2026-01-02T03:04:00Z"));
        server.answer(200, page(point_document("2026-01-02T03:04:00Z")));
        waits_left = 0;
        signal = how;
        EXPECT_EQ(run({"vms", "watch", id("vm_"), "--count", "2"}), code);
        EXPECT_THAT(err.str(), HasSubstr("Stopped after 1 of 2 samples."));
    }
}

TEST_F(VmWatchTest, ends_when_nobody_reads_any_more) {
    server.answer(200, kLive);
    server.answer(200, vm("2026-01-02T03:04:00Z"));
    server.answer(200, page(""));
    is_reader_gone = true;
    waits_left = 5;
    EXPECT_EQ(run({"vms", "watch", id("vm_")}), 141);
    EXPECT_EQ(err.str(), "");
}

TEST_F(VmWatchTest, ends_when_its_own_files_are_damaged) {
    server.answer(200, kLive);
    server.refuse(401, "auth.credential_expired", "The access token has expired.");
    server.on_request = [this, request = 0]() mutable {
        if (++request == 2) std::ofstream{credentials_file().path()} << "junk";
    };
    waits_left = 5;
    EXPECT_EQ(run({"vms", "watch", id("vm_")}), 1);
    EXPECT_THAT(err.str(), HasSubstr("cli.credentials_invalid"));
    EXPECT_THAT(err.str(), Not(HasSubstr("Trying again")));
}

TEST_F(VmWatchTest, ends_when_the_answer_is_no_synapsexs) {
    server.answer(200, "It works!");
    waits_left = 5;
    EXPECT_EQ(run({"vms", "watch", id("vm_")}), 1);
    EXPECT_THAT(err.str(), HasSubstr("client.bad_answer"));
}

TEST_F(VmWatchTest, goes_on_after_a_failure_of_the_server) {
    server.refuse(500, "internal", "Something went wrong.");
    server.answer(200, kLive);
    server.answer(200, vm("2026-01-02T03:04:00Z"));
    server.answer(200, page(point_document("2026-01-02T03:04:00Z")));
    waits_left = 1;
    EXPECT_EQ(run({"vms", "watch", id("vm_")}), 0);
    EXPECT_EQ(err.str(), "Trying again: Something went wrong.\n");
}

// The agent could not reach its server for a while: its samples come all at once.
TEST_F(VmWatchTest, shows_every_sample_of_a_fleet_that_came_since_the_last_one_in_order) {
    const auto later = page(
        point_document("2026-01-02T03:04:15Z") + "," + point_document("2026-01-02T03:04:30Z") +
        "," + point_document("2026-01-02T03:04:45Z")
    );
    for (const bool is_json : {false, true}) {
        server.answer(200, two_vms("2026-01-02T03:04:00Z", "2026-01-02T03:04:30Z", ""));
        server.answer(200, kLive);
        server.answer(200, kLive);
        server.fail(Kind::unavailable, net::kUnreachable);
        server.answer(200, two_vms("2026-01-02T03:04:45Z", "2026-01-02T03:04:45Z", ""));
        server.answer(200, later);
        waits_left = 2;
        server.requests.clear();
        std::vector<std::string> line{"vms", "watch"};
        if (is_json) line.emplace_back("--json");
        EXPECT_EQ(run(line), 0) << err.str();
        EXPECT_TRUE(server.answers.empty());
        const auto& read = server.requests.back().url;
        EXPECT_THAT(read, HasSubstr(id("vm_") + "/telemetry"));
        EXPECT_THAT(read, HasSubstr("from=2026-01-02T03%3A04%3A00.000001Z"));
        EXPECT_THAT(read, HasSubstr("to=2026-01-02T03%3A04%3A45Z"));
        std::vector<std::string> shown;
        std::istringstream lines{out.str()};
        for (std::string text; std::getline(lines, text);) {
            const auto* name = text.find("web-1") != std::string::npos ? "web-1" : "web-2";
            const auto time = text.find("03:04:", is_json ? text.find("\"latest\"") : 0);
            shown.push_back(text.substr(time, 8) + " " + name);
        }
        EXPECT_THAT(
            shown,
            ::testing::ElementsAre(
                "03:04:00 web-1", "03:04:30 web-2", "03:04:15 web-1", "03:04:30 web-1",
                "03:04:45 web-1", "03:04:45 web-2"
            )
        );
    }
}

TEST_F(VmWatchTest, a_failure_after_new_samples_were_read_loses_none_of_them) {
    server.answer(200, two_vms("2026-01-02T03:04:00Z", "2026-01-02T03:04:00Z", ""));
    server.fail(Kind::unavailable, net::kUnreachable);
    server.answer(200, two_vms("2026-01-02T03:04:00Z", "2026-01-02T03:04:00Z", ""));
    server.answer(200, kLive);
    server.answer(200, kLive);
    waits_left = 1;
    EXPECT_EQ(run({"vms", "watch"}), 0) << err.str();
    EXPECT_EQ(std::ranges::count(out.str(), '\n'), 2) << out.str();
}

TEST_F(VmWatchTest, says_once_that_it_follows_only_the_first_vms_and_how_to_choose) {
    server.answer(200, two_vms("2026-01-02T03:04:00Z", "2026-01-02T03:04:00Z", "more"));
    server.answer(200, kLive);
    server.answer(200, kLive);
    server.answer(200, two_vms("2026-01-02T03:04:00Z", "2026-01-02T03:04:00Z", "more"));
    waits_left = 1;
    EXPECT_EQ(run({"vms", "watch"}), 0) << err.str();
    EXPECT_EQ(
        err.str(),
        "Following the first 20 VMs of the list only: name one, or choose with --state.\n"
    );
    EXPECT_THAT(server.requests.at(0).url, HasSubstr("limit=20"));
}

TEST_F(VmWatchTest, follows_vms_of_a_state) {
    server.answer(200, page(""));
    EXPECT_EQ(run({"vms", "watch", "--state", "degraded"}), 0) << err.str();
    EXPECT_THAT(server.requests.at(0).url, HasSubstr("state=degraded"));
    EXPECT_EQ(err.str(), "There is no such VM yet.\n");
    EXPECT_EQ(run({"vms", "watch", "web-1", "--state", "degraded"}), 2);
}

TEST_F(VmWatchTest, says_on_a_terminal_what_does_not_fit) {
    is_terminal = true;
    environment["NO_COLOR"] = "1";
    terminal_size = {.columns = 80, .rows = 6};
    server.answer(200, two_vms("2026-01-02T03:04:00Z", "2026-01-02T03:04:00Z", "more"));
    server.answer(200, kLive);
    server.answer(200, kLive);
    EXPECT_EQ(run({"vms", "watch"}), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("2 more lines than fit into this terminal."));
    EXPECT_THAT(out.str(), HasSubstr("Following the first 20 VMs of the list only"));
}

TEST_F(VmWatchTest, watches_all_vms_and_prints_each_that_has_a_new_sample) {
    server.answer(200, two_vms("2026-01-02T03:04:00Z", "2026-01-02T03:04:00Z", ""));
    server.answer(200, kLive);
    server.answer(200, kLive);
    server.answer(200, two_vms("2026-01-02T03:04:00Z", "2026-01-02T03:04:15Z", ""));
    waits_left = 1;
    EXPECT_EQ(run({"vms", "watch"}), 0) << err.str();
    EXPECT_EQ(std::ranges::count(out.str(), '\n'), 3);
    EXPECT_THAT(out.str(), HasSubstr("03:04:15Z  web-2"));
    EXPECT_THAT(out.str(), Not(HasSubstr("03:04:15Z  web-1")));
}

}  // namespace
}  // namespace synapsex::cli::testing

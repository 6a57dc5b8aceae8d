#pragma once

// Whole command lines in memory: no network, no terminal, no home but a temporary folder.

#include <deque>
#include <filesystem>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <vector>

#include "controlplane/cli/command_line.hpp"
#include "controlplane/cli/credentials.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::cli::testing {

inline constexpr const char* kUlid = "01jgjz2m1xq3v5n8b7w6t4r2e0";
inline constexpr const char* kUlid2 = "01jgjz2m1xq3v5n8b7w6t4r2e1";

// Answers by script, in order, and keeps what was asked.
class ScriptedServer {
 public:
    using Answer = Result<net::HttpResponse>;

    void answer(int status, std::string body, std::vector<net::HttpHeader> headers = {}) {
        headers.push_back(
            {"Content-Type", status < 400 ? "application/json" : "application/problem+json"}
        );
        headers.push_back({"X-Request-Id", "req_1"});
        answers.push_back(net::HttpResponse{status, std::move(headers), std::move(body)});
    }
    void refuse(int status, const std::string& code, const std::string& detail) {
        answer(
            status,
            R"({"type":"t","title":"T","status":)" + std::to_string(status) + R"(,"detail":")" +
                detail + R"(","code":")" + code + R"(","requestId":"req_1","errors":[]})"
        );
    }
    void fail(Kind kind, std::string_view code) {
        answers.push_back(Problem{kind, std::string{code}, "It failed."});
    }

    std::deque<Answer> answers;
    std::vector<net::HttpRequest> requests;
    std::function<void()> on_request = [] {};
};

class ScriptedHttpClient final : public net::HttpClient {
 public:
    explicit ScriptedHttpClient(ScriptedServer& server) : server_(server) {}

    Result<net::HttpResponse> send(const net::HttpRequest& request) override {
        server_.requests.push_back(request);
        server_.on_request();
        if (server_.answers.empty())
            return Problem{Kind::internal, "test.unexpected", "Nobody expected this request."};
        auto answer = std::move(server_.answers.front());
        server_.answers.pop_front();
        return answer;
    }
    void pin_authorities(std::vector<std::string>) override {}
    std::vector<std::string> pinned_authorities() const override { return {}; }
    void cancel() override {}
    void resume() override {}

 private:
    ScriptedServer& server_;
};

// Time passes by itself; Ctrl-C, or another signal, comes after `waits_left`.
class ScriptedPause final : public Pause {
 public:
    ScriptedPause(synapsex::testing::FakeClock& clock, int& waits_left, Stop signal)
        : clock_(clock), waits_left_(waits_left), signal_(signal) {}

    bool wait(std::chrono::milliseconds duration) override {
        clock_.advance(duration);
        return waits_left_-- > 0;
    }
    Stop stop() const override { return waits_left_ < 0 ? signal_ : Stop::none; }

 private:
    synapsex::testing::FakeClock& clock_;
    int& waits_left_;
    Stop signal_;
};

inline std::string header_of(const net::HttpRequest& request, std::string_view name) {
    for (const auto& header : request.headers)
        if (header.name == name) return header.value;
    return {};
}

class CliTest : public ::testing::Test {
 protected:
    CliTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "cli-XXXXXX").string();
        home = ::mkdtemp(pattern.data());
        environment["HOME"] = home.string();
    }
    ~CliTest() override { std::filesystem::remove_all(home); }

    CredentialsFile credentials_file() const {
        return CredentialsFile{home / ".config" / "synapsex" / "credentials.json"};
    }
    void signed_in(const std::string& url = "http://127.0.0.1:8080") {
        ASSERT_TRUE(credentials_file().save(
            {.url = url, .email = "ada@example.com", .access_token = "old", .refresh_token = "r1"}
        ));
    }
    Credentials stored() const { return *credentials_file().load().value(); }

    int run(std::vector<std::string> arguments, const std::string& typed = {}) {
        out.str({});
        err.str({});
        in.str(typed);
        in.clear();
        Surroundings surroundings{
            .program = program,
            .environment = environment,
            .in = in,
            .out = out,
            .err = err,
            .is_in_terminal = is_terminal,
            .is_out_terminal = is_terminal,
            .is_err_terminal = is_terminal,
            .clock = clock,
            .random = random,
            .terminal_size = [this] { return terminal_size; },
            .is_reader_gone = [this] { return is_reader_gone; },
            .ask_secret = [](std::string_view) { return Result<std::string>{"typed password"}; },
            .connect =
                [this](const net::CurlOptions& options) {
                    curl_options = options;
                    return std::make_unique<ScriptedHttpClient>(server);
                },
            .pause_until_stopped =
                [this](net::HttpClient&) {
                    return std::make_unique<ScriptedPause>(clock, waits_left, signal);
                }};
        return static_cast<int>(run_command_line(arguments, surroundings));
    }

    std::filesystem::path home;
    std::string program = "synapsexctl";
    std::map<std::string, std::string> environment;
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    bool is_terminal = false;
    TerminalSize terminal_size{200, 24};
    bool is_reader_gone = false;
    int waits_left = 0;
    Stop signal = Stop::interrupted;
    synapsex::testing::FakeClock clock;
    synapsex::testing::SeededRandom random;
    ScriptedServer server;
    net::CurlOptions curl_options;
};

inline std::string id(std::string_view prefix, std::string_view ulid = kUlid) {
    return std::string{prefix} + std::string{ulid};
}

inline std::string me_document() {
    return R"({"kind":"user","id":")" + id("usr_") +
           R"(","email":"ada@example.com","fullName":"Ada","tenantId":")" + id("ten_") +
           R"(","role":"owner","credentialId":"ses_1","scopes":[]})";
}

inline std::string tokens_document(const std::string& access, const std::string& refresh) {
    return R"({"access_token":")" + access + R"(","refresh_token":")" + refresh +
           R"(","token_type":"bearer","expires_in":900,"user":{"id":")" + id("usr_") +
           R"(","email":"ada@example.com","tenantId":")" + id("ten_") + R"("}})";
}

inline std::string point_document(std::string_view at, std::string_view load = "0.42") {
    return R"({"at":")" + std::string{at} + R"(","load1":)" + std::string{load} +
           R"(,"load5":0.3,"load15":0.2,"cpuBusyPercent":12.5,"cpuIowaitPercent":0.1,)"
           R"("cpuStealPercent":0,"memoryTotalBytes":2147483648,"memoryAvailableBytes":1073741824,)"
           R"("swapTotalBytes":0,"swapUsedBytes":0,"diskReadBytesPerSecond":1024,)"
           R"("diskWriteBytesPerSecond":2048,"networkReceiveBytesPerSecond":10,)"
           R"("networkTransmitBytesPerSecond":20,"filesystemUsedPercentMax":41.5,"processes":99,)"
           R"("uptimeSeconds":3661})";
}

// The members of a VmSummary, without braces.
inline std::string vm_members(
    const std::string& name, std::string_view ulid = kUlid, const std::string& latest = "null"
) {
    return R"("id":")" + id("vm_", ulid) + R"(","agentId":")" + id("agt_", ulid) +
           R"(","name":")" + name +
           R"(","state":"online","lastSeenAt":"2026-01-02T03:01:05Z",)"
           R"("os":"Debian GNU/Linux 12","kernel":"6.1.0-18","architecture":"x86_64",)"
           R"("cpuThreads":4,"memoryTotalBytes":2147483648,"diskTotalBytes":10737418240,)"
           R"("packages":1432,"latest":)" +
           latest +
           R"(,"createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z")";
}
inline std::string vm_document(const std::string& members, const std::string& filesystems = {}) {
    return "{" + members +
           R"(,"reported":{"os":null,"cpu":null,"memory":null,"disks":[],"filesystems":[)" +
           filesystems + R"(],"network":[],"sections":[]}})";
}

inline std::string page(const std::string& items, const std::string& cursor = {}) {
    return R"({"items":[)" + items + R"(],"nextCursor":)" +
           (cursor.empty() ? "null" : '"' + cursor + '"') + "}";
}

}  // namespace synapsex::cli::testing

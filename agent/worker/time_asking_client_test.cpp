#include "agent/worker/time_asking_client.hpp"

#include <gmock/gmock.h>

#include "agent/transport/json_codec.hpp"
#include "shared/crypto/authority.hpp"
#include "shared/crypto/hash.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::chrono::days kYears{3650};

// A pinned server with a certificate of 90 days, as CurlHttpClient has it, and how it answers a
// question for the time.
class PinnedServer final : public net::HttpClient {
 public:
    PinnedServer(CertificateClock& judged_by, Timestamp present)
        : judged_by_(judged_by), certificate_ends(present + std::chrono::days{60}) {}

    Result<net::HttpResponse> send(const net::HttpRequest& request) override {
        requests.push_back(request.url);
        if (request.validity == net::Validity::unchecked) return time(request);
        const auto now = judged_by_.now();
        if (now.at > certificate_ends)
            return Problem{Kind::unavailable, std::string{net::kTlsExpired}, "by " + now.by};
        if (now.at < certificate_ends - std::chrono::days{90})
            return Problem{Kind::unavailable, std::string{net::kTlsNotYetValid}, "by " + now.by};
        return net::HttpResponse{.status = 204};
    }
    void pin_authorities(std::vector<std::string> wish) override { pins = std::move(wish); }
    std::vector<std::string> pinned_authorities() const override { return pins; }
    void cancel() override {}
    void resume() override {}

    std::function<net::HttpResponse(const std::string& nonce)> answer;
    std::vector<std::string> pins;
    std::vector<std::string> requests;
    bool is_name_another = false;

 private:
    Result<net::HttpResponse> time(const net::HttpRequest& request) {
        for (const auto& header : request.headers) EXPECT_EQ(header.name, "Content-Type");
        if (is_name_another) return Problem{Kind::unavailable, std::string{net::kTlsName}, ""};
        constexpr std::string_view kBefore{R"({"nonce":")"};
        auto response = answer(request.body.substr(kBefore.size(), crypto::kTimeNonceSize));
        response.authorities = pins;
        return response;
    }

    CertificateClock& judged_by_;

 public:
    Timestamp certificate_ends;
};

class TimeAskingClientTest : public ::testing::Test {
 protected:
    TimeAskingClientTest() {
        server_.pins = {authority_.pin()};
        server_.answer = [this](const std::string& nonce) {
            return answer_of(authority_.prove_time(nonce, present()));
        };
    }

    // By a clock that is right.
    Timestamp present() const {
        return began_ + std::chrono::duration_cast<std::chrono::microseconds>(
                            clock_.steady_now() - steady_began_
                        );
    }

    static net::HttpResponse answer_of(const crypto::TimeProof& proof) {
        return {
            .status = 200,
            .body = R"({"time":")" + format_rfc3339(proof.time) + R"(","publicKey":")" +
                    crypto::to_base64url(proof.public_key) + R"(","signature":")" +
                    crypto::to_base64url(proof.signature) + R"("})",
        };
    }
    // "204", or code and detail.
    std::string send(const std::string& url = "https://cp.test/base/v1/auth/token") {
        const auto response = client_.send({.url = url});
        if (response) return std::to_string(response->status);
        return response.error().code + ": " + response.error().detail;
    }

    synapsex::testing::TemporaryFolder directory_;
    synapsex::testing::FakeClock clock_;
    synapsex::testing::SeededRandom random_;
    const Timestamp began_ = clock_.now();
    const SteadyTime steady_began_ = clock_.steady_now();
    const crypto::Authority authority_ = crypto::Authority::make(began_);
    TimeFloor floor_{directory_.path() / "time.floor"};
    CertificateClock certificates_{floor_, clock_};
    PinnedServer server_{certificates_, began_};
    TimeAskingClient client_{server_, certificates_, random_};
};

TEST_F(TimeAskingClientTest, asks_nothing_while_the_certificate_is_in_its_time) {
    EXPECT_EQ(send(), "204");
    EXPECT_THAT(server_.requests, ElementsAre("https://cp.test/base/v1/auth/token"));
}

TEST_F(TimeAskingClientTest, a_clock_that_is_years_away_is_found_out) {
    for (const auto jump : {kYears, -2 * kYears}) {
        clock_.jump(jump);
        EXPECT_EQ(send(), "204");
    }
    server_.requests.clear();
    EXPECT_EQ(send(), "204");
    EXPECT_EQ(server_.requests.size(), 1U) << "it is known by now";
}

TEST_F(TimeAskingClientTest, asks_the_same_server_once) {
    clock_.jump(kYears);
    send();
    EXPECT_THAT(
        server_.requests,
        ElementsAre(
            "https://cp.test/base/v1/auth/token", "https://cp.test/base/v1/agents/time",
            "https://cp.test/base/v1/auth/token"
        )
    );
}

TEST_F(TimeAskingClientTest, what_has_expired_stays_refused_by_the_time_that_was_proved) {
    for (const auto jump : {0 * kYears, kYears}) {
        clock_.jump(jump);
        server_.certificate_ends = present() - 1s;
        EXPECT_THAT(send(), HasSubstr("net.tls_expired: by the time that the control plane has"));
    }
}

TEST_F(TimeAskingClientTest, an_answer_to_another_question_is_none) {
    clock_.jump(kYears);
    const auto recorded = authority_.prove_time(std::string(42, 'n') + 'A', began_);
    server_.answer = [&](const std::string&) { return answer_of(recorded); };
    EXPECT_THAT(
        send(), HasSubstr("net.tls_expired: by this machine's clock (the control plane proves no "
                          "other time: what it answered is not signed by its authority")
    );
}

TEST_F(TimeAskingClientTest, nor_is_one_of_another_authority_or_one_that_was_changed) {
    clock_.jump(kYears);
    const auto thief = crypto::Authority::make(began_);
    server_.answer = [&](const std::string& nonce) {
        return answer_of(thief.prove_time(nonce, began_));
    };
    EXPECT_THAT(send(), HasSubstr("not signed by its authority"));
    server_.answer = [&](const std::string& nonce) {
        auto proof = authority_.prove_time(nonce, present());
        proof.time -= std::chrono::days{365};
        return answer_of(proof);
    };
    EXPECT_THAT(send(), HasSubstr("not signed by its authority"));
    for (const auto* body : {"", "{}", "[]", R"({"time":"now","publicKey":"","signature":""})"}) {
        server_.answer = [&](const std::string&) {
            return net::HttpResponse{.status = 200, .body = body};
        };
        EXPECT_THAT(send(), HasSubstr("not signed by its authority")) << body;
    }
}

TEST_F(TimeAskingClientTest, an_answer_that_was_kept_back_is_too_late) {
    clock_.jump(kYears);
    server_.answer = [&](const std::string& nonce) {
        const auto proof = authority_.prove_time(nonce, present());
        clock_.advance(TimeAskingClient::kAnswerTime + 1ms);
        return answer_of(proof);
    };
    EXPECT_THAT(send(), HasSubstr("its answer came too late"));
}

TEST_F(TimeAskingClientTest, a_time_before_the_floor_lets_nothing_in_that_ended_by_then) {
    floor_.raise(began_);
    server_.certificate_ends = began_ - 24h;
    server_.answer = [&](const std::string& nonce) {
        return answer_of(authority_.prove_time(nonce, began_ - 48h));
    };
    clock_.jump(kYears);
    EXPECT_THAT(send(), HasSubstr("net.tls_expired: by time.floor ("));
}

TEST_F(TimeAskingClientTest, a_release_that_cannot_is_heard_out_and_nothing_changes) {
    clock_.jump(kYears);
    server_.answer = [](const std::string&) { return net::HttpResponse{.status = 405}; };
    EXPECT_THAT(send(), HasSubstr("net.tls_expired: by this machine's clock (the control plane "
                                  "proves no other time: status 405)"));
    server_.answer = [](const std::string&) {
        return net::HttpResponse{.status = 404, .body = R"({"code":"agents.no_authority"})"};
    };
    EXPECT_THAT(send(), HasSubstr("proves no other time: agents.no_authority)"));
    server_.is_name_another = true;
    EXPECT_THAT(send(), HasSubstr("proves no other time: net.tls_name)"));
}

TEST_F(TimeAskingClientTest, without_a_pin_nobody_is_asked) {
    clock_.jump(kYears);
    client_.pin_authorities({});
    EXPECT_EQ(send(), "net.tls_expired: by this machine's clock");
    EXPECT_EQ(server_.requests.size(), 1U);
}

}  // namespace
}  // namespace synapsex::agent

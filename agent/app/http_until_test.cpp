#include "agent/app/http_until.hpp"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.hpp"

namespace synapsex::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

// Every request takes all the time that it has.
class HangingHttp final : public net::HttpClient {
 public:
    explicit HangingHttp(synapsex::testing::FakeClock& clock) : clock_(clock) {}

    Result<net::HttpResponse> send(const net::HttpRequest& request) override {
        EXPECT_LE(request.connect_timeout, request.timeout);
        timeouts.push_back(request.timeout);
        clock_.advance(request.timeout);
        return Problem{.code = std::string{net::kTimeout}};
    }
    void pin_authorities(std::vector<std::string>) override {}
    std::vector<std::string> pinned_authorities() const override { return {"a pin"}; }
    void cancel() override {}
    void resume() override {}

    std::vector<milliseconds> timeouts;

 private:
    synapsex::testing::FakeClock& clock_;
};

TEST(HttpUntil, ends_all_requests_together_by_the_deadline) {
    synapsex::testing::FakeClock clock;
    HangingHttp hanging{clock};
    HttpUntil http{hanging, Deadline::after(clock, seconds{28}), clock};
    const net::HttpRequest request{
        .url = "https://cp.example.com", .connect_timeout = seconds{10}, .timeout = seconds{14}
    };
    clock.advance(seconds{5});
    for (int i = 0; i < 4; ++i) {
        const auto answer = http.send(request);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, net::kTimeout);
    }
    EXPECT_THAT(hanging.timeouts, ElementsAre(seconds{14}, seconds{9})) << "then there is no time";
    EXPECT_THAT(http.pinned_authorities(), ElementsAre("a pin"));
}

}  // namespace
}  // namespace synapsex::agent

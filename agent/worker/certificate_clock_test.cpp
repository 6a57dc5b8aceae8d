#include "agent/worker/certificate_clock.hpp"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::chrono::days kYears{3650};

class CertificateClockTest : public ::testing::Test {
 protected:
    void prove(Timestamp time) { certificates_.on_proven(time, certificates_.moment()); }

    synapsex::testing::TemporaryFolder directory_;
    synapsex::testing::FakeClock clock_;  // of this machine
    const Timestamp present_ = clock_.now();
    TimeFloor floor_{directory_.path() / "time.floor"};
    CertificateClock certificates_{floor_, clock_};
};

TEST_F(CertificateClockTest, is_this_machines_clock_until_another_time_is_proved) {
    clock_.jump(kYears);
    EXPECT_EQ(certificates_.now().at, present_ + kYears);
    EXPECT_EQ(certificates_.now().by, "this machine's clock");
    EXPECT_FALSE(certificates_.was_proof_used());
    prove(present_);
    EXPECT_EQ(certificates_.now().at, present_);
    EXPECT_THAT(
        certificates_.now().by,
        AllOf(HasSubstr("the control plane has proved"), HasSubstr("this machine's clock says 203"))
    );
    EXPECT_TRUE(certificates_.was_proof_used());
}

TEST_F(CertificateClockTest, goes_on_from_when_it_was_asked) {
    clock_.jump(-kYears);
    const auto asked = certificates_.moment();
    clock_.advance(2s);
    certificates_.on_proven(present_, asked);
    EXPECT_EQ(certificates_.now().at, present_ + 2s);
    clock_.advance(1min);
    EXPECT_EQ(certificates_.now().at, present_ + 62s);
}

TEST_F(CertificateClockTest, has_to_be_proved_again_after_a_while) {
    clock_.jump(kYears);
    prove(present_);
    clock_.advance(CertificateClock::kProofLife);
    EXPECT_TRUE((certificates_.now(), certificates_.was_proof_used()));
    EXPECT_FALSE(certificates_.was_floor_used());
    clock_.advance(1s);
    EXPECT_EQ(certificates_.now().at, clock_.now());
    EXPECT_FALSE(certificates_.was_proof_used());
}

TEST_F(CertificateClockTest, has_to_be_proved_again_where_the_clock_was_set_or_the_vm_slept) {
    for (const auto jump : {-kYears + 0s, -1min + 0s, 1min + 0s, kYears + 0s}) {
        prove(present_);
        clock_.jump(jump);
        EXPECT_EQ(certificates_.now().at, clock_.now());
    }
}

TEST_F(CertificateClockTest, what_was_proved_is_never_before_the_floor) {
    floor_.raise(present_);
    clock_.jump(kYears);
    prove(present_ - 24h);
    EXPECT_EQ(certificates_.now().at, present_) << "the control plane's clock was put back";
    EXPECT_FALSE(certificates_.was_proof_used());
    EXPECT_TRUE(certificates_.was_floor_used());
    EXPECT_THAT(
        certificates_.now().by,
        AllOf(
            HasSubstr("time.floor"), HasSubstr("this machine's clock says 203"),
            HasSubstr("the control plane has proved " + format_rfc3339(present_ - 24h))
        )
    );
    prove(present_ + 1s);
    EXPECT_EQ(certificates_.now().at, present_ + 1s);
}

TEST_F(CertificateClockTest, leaves_no_trace) {
    clock_.jump(kYears);
    prove(present_);
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
    CertificateClock restarted{floor_, clock_};
    EXPECT_EQ(restarted.now().at, clock_.now());
}

}  // namespace
}  // namespace synapsex::agent

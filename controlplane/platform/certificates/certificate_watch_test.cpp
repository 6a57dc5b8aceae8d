#include "controlplane/platform/certificates/certificate_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/platform/certificates/migrations.hpp"
#include "controlplane/platform/outbox/migrations.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/posted_messages.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_certificate.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::certificates {
namespace {

using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CertificateWatchTest : public ::testing::Test {
 protected:
    // So that the certificate has this long to go.
    void leave(std::chrono::microseconds time) {
        clock.jump(certificate->current()->certificate().not_after - time - clock.now());
    }
    CertificateWatch::Parts parts() {
        return {*certificate, nullptr, *database, clock, random, metrics};
    }
    // Type and data of every event so far, "certificate.expiring 30".
    std::vector<std::string> events() {
        std::vector<std::string> told;
        for (const auto& message : testing::posted_messages(database)) {
            const auto at = message.data.find("\"days\":") + 7;
            told.push_back(
                message.type + ' ' + message.data.substr(at, message.data.find('}', at) - at)
            );
        }
        return told;
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    Metrics metrics;
    testing::TestDatabase database{
        clock, {{"outbox", outbox::kMigrations}, {"certificates", kMigrations}}};
    testing::TestCertificate files{{.valid_until_seconds = 90 * 24 * 3600}};
    std::unique_ptr<net::TlsCertificate> certificate =
        net::TlsCertificate::open(files.files()).value();
};

TEST_F(CertificateWatchTest, tells_each_notice_once) {
    CertificateWatch watch{parts()};
    for (const auto left : {days{31}, days{30}, days{29}, days{7}, days{6}, days{1}, days{0},
                            days{-1}}) {
        leave(left);
        EXPECT_TRUE(watch.look());
        EXPECT_TRUE(watch.look());
    }
    EXPECT_THAT(
        events(), ElementsAre("certificate.expiring 30", "certificate.expiring 7",
                              "certificate.expiring 1", "certificate.expired 0")
    );
}

TEST_F(CertificateWatchTest, who_comes_late_hears_the_nearest_notice_only) {
    leave(days{2});
    EXPECT_TRUE(CertificateWatch{parts()}.look());
    EXPECT_THAT(events(), ElementsAre("certificate.expiring 7"));
}

TEST_F(CertificateWatchTest, replicas_with_one_certificate_tell_once_in_all) {
    leave(days{20});
    EXPECT_TRUE(CertificateWatch{parts()}.look());
    EXPECT_TRUE(CertificateWatch{parts()}.look());
    EXPECT_THAT(events(), ElementsAre("certificate.expiring 30"));
}

TEST_F(CertificateWatchTest, a_renewed_certificate_is_taken_and_starts_anew) {
    CertificateWatch watch{parts()};
    leave(days{20});
    EXPECT_TRUE(watch.look());
    const auto old = certificate->current()->certificate().fingerprint;
    files.renew({.valid_until_seconds = 400L * 24 * 3600});
    EXPECT_TRUE(watch.look());
    EXPECT_NE(certificate->current()->certificate().fingerprint, old);
    EXPECT_EQ(events().size(), 1U);
    leave(days{30});
    EXPECT_TRUE(watch.look());
    EXPECT_EQ(events().size(), 2U) << "this one has notices of its own";
}

TEST_F(CertificateWatchTest, files_that_do_not_load_fail_the_task_and_keep_the_old_one_told_of) {
    CertificateWatch watch{parts()};
    const testing::TestCertificate other;
    std::filesystem::copy(
        other.files().certificate, files.files().certificate,
        std::filesystem::copy_options::overwrite_existing
    );
    leave(days{5});
    const auto failed = watch.look();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, "tls.key_mismatch");
    EXPECT_THAT(events(), ElementsAre("certificate.expiring 7"));
}

TEST_F(CertificateWatchTest, what_a_full_disk_leaves_out_is_told_when_there_is_room) {
    CertificateWatch watch{parts()};
    leave(days{5});
    database->set_room(db::Room::critical);
    EXPECT_TRUE(watch.look());
    EXPECT_TRUE(events().empty());
    database->set_room(db::Room::plenty);
    EXPECT_TRUE(watch.look());
    EXPECT_THAT(events(), ElementsAre("certificate.expiring 7"));
}

TEST_F(CertificateWatchTest, the_metric_says_when_it_ends) {
    CertificateWatch watch{parts()};
    const auto not_after = [this] {
        const auto text = metrics.render();
        const auto at = text.find("\nsynapsex_tls_certificate_not_after_timestamp_seconds ");
        return std::stod(text.substr(text.find(' ', at + 1)));
    };
    const auto before = not_after();
    files.renew({.valid_until_seconds = 100L * 24 * 3600});
    EXPECT_TRUE(watch.look());
    EXPECT_NEAR(not_after() - before, 10 * 24 * 3600.0, 120);
}

}  // namespace
}  // namespace synapsex::certificates

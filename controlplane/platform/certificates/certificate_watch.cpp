#include "controlplane/platform/certificates/certificate_watch.hpp"

#include <algorithm>
#include <array>

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/certificates/certificate_notices.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "shared/base/log.hpp"

namespace synapsex::certificates {

namespace {

using std::chrono::days;

constexpr std::array<std::int64_t, 4> kNoticeDays{0, 1, 7, 30};
constexpr std::chrono::seconds kBudget{10};
constexpr db::SystemScope kTell{"certificates.tell"};

// The notice that is due: the least number of days that has not more left. Who starts a server two
// days before the end hears of 7 days, not of 30 as well.
std::optional<std::int64_t> notice_due(Timestamp not_after, Timestamp now) {
    for (const auto notice : kNoticeDays)
        if (not_after - now <= days{notice}) return notice;
    return std::nullopt;
}

std::string data_of(const net::CertificateInfo& certificate, std::int64_t notice) {
    return api::JsonObjectText{}
        .add_text("subject", certificate.subject)
        .add_text("fingerprint", certificate.fingerprint)
        .add_text("notAfter", format_rfc3339(certificate.not_after))
        .add("days", std::to_string(notice))
        .finish();
}

double seconds_of(Timestamp instant) {
    return std::chrono::duration<double>{instant.time_since_epoch()}.count();
}

}  // namespace

CertificateWatch::CertificateWatch(const Parts& parts)
    : parts_(parts),
      not_after_seconds_(std::make_shared<std::atomic<double>>(
          seconds_of(parts.certificate.current()->certificate().not_after)
      )) {
    parts.metrics.gauge(
        "synapsex_tls_certificate_not_after_timestamp_seconds",
        "When the certificate that new connections get comes to its end.",
        [value = not_after_seconds_] { return value->load(); }
    );
}

Result<Done> CertificateWatch::look() {
    const auto renewed = parts_.own ? parts_.own->renew_if_due() : Result<Done>{Done{}};
    const auto reloaded = parts_.certificate.reload();
    const auto certificate = parts_.certificate.current()->certificate();
    not_after_seconds_->store(seconds_of(certificate.not_after));
    if (reloaded && *reloaded)
        log_info(
            "certificate renewed", {{"subject", certificate.subject},
                                    {"fingerprint", certificate.fingerprint},
                                    {"notAfter", format_rfc3339(certificate.not_after)}}
        );
    SYNAPSEX_CHECK(tell(certificate));
    if (!reloaded) return reloaded.error();
    return renewed;
}

Result<Done> CertificateWatch::tell(const net::CertificateInfo& certificate) {
    const auto now = parts_.clock.now();
    const auto notice = notice_due(certificate.not_after, now);
    // Events are left out while the disk is nearly full: noted and told when there is room.
    if (!notice || parts_.database.room() == db::Room::critical) return Done{};
    const auto id = outbox::MessageId::make(now, parts_.random);
    const auto call = Call::system(
        std::string{kWatchCertificate.name}, Deadline::after(parts_.clock, kBudget)
    );
    const std::string_view type = *notice == 0 ? "certificate.expired" : "certificate.expiring";
    SYNAPSEX_TRY(
        const bool is_news,
        parts_.database.write(kTell, call, [&](db::Session& session) -> Result<bool> {
            CertificateNotices notices{session};
            if (!notices.note(certificate.fingerprint, *notice, now)) return false;
            notices.prune(now - kNoticesKeptFor);
            outbox::add(
                session, call,
                {id, now, type, certificate.fingerprint, data_of(certificate, *notice),
                 outbox::MessageKind::event}
            );
            return true;
        })
    );
    if (is_news)
        log_warning(
            *notice == 0 ? "the certificate has expired" : "the certificate expires soon",
            {{"subject", certificate.subject}, {"notAfter", format_rfc3339(certificate.not_after)}}
        );
    return Done{};
}

}  // namespace synapsex::certificates

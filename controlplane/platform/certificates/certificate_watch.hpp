#pragma once

// Keeps an eye on the certificate that the server speaks TLS with: takes a renewed one from its
// files, and tells when it comes to its end, 30, 7 and 1 days before and when it is over, each
// once, however many replicas have the same one: an event "certificate.expiring" or
// "certificate.expired", a line in the log, and a metric all along.

#include <atomic>
#include <memory>
#include <optional>

#include "controlplane/platform/certificates/own_certificate.hpp"
#include "controlplane/platform/module.hpp"
#include "controlplane/platform/tasks/periodic_task.hpp"
#include "shared/net/tls_certificate.hpp"

namespace synapsex::certificates {

// Longer than a public certificate lives.
inline constexpr std::chrono::hours kNoticesKeptFor{400 * 24};
inline constexpr TaskInfo kWatchCertificate{
    "platform.watch_certificate", std::chrono::seconds{15}};

class CertificateWatch {
 public:
    struct Parts {  // all outlive the watch
        net::TlsCertificate& certificate;
        OwnCertificate* own;  // renews its file; nullptr: somebody else does
        db::Database& database;
        const Clock& clock;
        Random& random;
        Metrics& metrics;
    };

    explicit CertificateWatch(const Parts& parts);

    // What the task does each time. A Problem: the files hold no certificate that can be used, and
    // the one there is stays in use.
    Result<Done> look();

 private:
    Result<Done> tell(const net::CertificateInfo& certificate);

    const Parts parts_;
    // Shared with the gauge, which may be read after the watch has gone.
    const std::shared_ptr<std::atomic<double>> not_after_seconds_;
};

}  // namespace synapsex::certificates

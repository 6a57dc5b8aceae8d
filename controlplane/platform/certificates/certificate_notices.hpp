#pragma once

// Every statement about platform_certificate_notices.

#include <cstdint>
#include <string_view>

#include "controlplane/platform/db/database.hpp"

namespace synapsex::certificates {

class CertificateNotices {
 public:
    explicit CertificateNotices(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // False if it was noted before.
    bool note(std::string_view fingerprint, std::int64_t days, Timestamp at);
    void prune(Timestamp before);

 private:
    db::Session& session_;
};

}  // namespace synapsex::certificates

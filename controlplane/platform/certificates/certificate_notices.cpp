#include "controlplane/platform/certificates/certificate_notices.hpp"

#include <array>

namespace synapsex::certificates {

namespace {

using db::Query;

constexpr Query kNote{"certificates.note", R"sql(
    INSERT INTO platform_certificate_notices (fingerprint, days, noted_at) VALUES ($1, $2, $3)
    ON CONFLICT (fingerprint, days) DO NOTHING RETURNING fingerprint)sql"};

constexpr Query kPrune{"certificates.prune", R"sql(
    DELETE FROM platform_certificate_notices WHERE noted_at < $1)sql"};

constexpr std::array kQueries{&kNote, &kPrune};

}  // namespace

std::span<const Query* const> CertificateNotices::queries() { return kQueries; }

bool CertificateNotices::note(std::string_view fingerprint, std::int64_t days, Timestamp at) {
    return !session_.query(kNote, fingerprint, days, at).empty();
}

void CertificateNotices::prune(Timestamp before) { session_.execute(kPrune, before); }

}  // namespace synapsex::certificates

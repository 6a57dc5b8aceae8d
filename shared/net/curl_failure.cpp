#include "shared/net/curl_failure.hpp"

#include <openssl/x509_vfy.h>

#include "shared/net/http_client.hpp"

namespace synapsex::net {

namespace {

// libcurl looks at the name before it asks for that, and
// leaves what it began with: not X509_V_OK, which is X509_V_ERR_UNSPECIFIED.
FailureName name_of_refused_peer(long verdict) {
    switch (verdict) {
        case X509_V_OK:
        case X509_V_ERR_UNSPECIFIED: return {Kind::unavailable, kTlsName};
        case X509_V_ERR_CERT_HAS_EXPIRED: return {Kind::unavailable, kTlsExpired};
        case X509_V_ERR_CERT_NOT_YET_VALID: return {Kind::unavailable, kTlsNotYetValid};
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return {Kind::unavailable, kTlsAuthority};
        default: return {Kind::unavailable, kTlsFailed};
    }
}

}  // namespace

FailureName failure_name_of(CURLcode result, long verdict) {
    switch (result) {
        case CURLE_PEER_FAILED_VERIFICATION: return name_of_refused_peer(verdict);
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
        case CURLE_INTERFACE_FAILED: return {Kind::unavailable, kUnreachable};
        case CURLE_OPERATION_TIMEDOUT: return {Kind::deadline_exceeded, kTimeout};
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS: return {Kind::unavailable, kTlsFailed};
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_PARTIAL_FILE: return {Kind::unavailable, kClosed};
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL: return {Kind::invalid, kInvalidUrl};
        default: return {Kind::unavailable, kProtocolError};
    }
}

}  // namespace synapsex::net

#include "shared/net/pinned_authorities.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <utility>

#include "shared/crypto/authority.hpp"
#include "shared/crypto/public_key_pin.hpp"

namespace synapsex::net {

namespace {

// Server, an authority, and the one before it.
constexpr int kDepthMax = 4;
// 112 bits: nothing weaker than RSA of 2048 bits and SHA-256.
constexpr int kSecurityLevel = 2;

using Store = std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)>;
struct FreeChain {
    void operator()(STACK_OF(X509) * chain) const { sk_X509_free(chain); }  // not what is in it
};
using Chain = std::unique_ptr<STACK_OF(X509), FreeChain>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)>;

std::string instant_text(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unknown time";
    return format_rfc3339(Timestamp{std::chrono::seconds{::timegm(&parts)}});
}

std::string joined(const std::vector<std::string>& pins) {
    std::string list;
    for (const auto& pin : pins) list += (list.empty() ? "" : ", ") + pin;
    return list;
}

std::string shown_pins(STACK_OF(X509) * chain) {
    std::vector<std::string> pins;
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        auto* certificate = sk_X509_value(chain, i);
        if (X509_check_ca(certificate) == 0) continue;
        auto pin = crypto::public_key_pin(certificate);
        if (std::ranges::find(pins, pin) == pins.end()) pins.push_back(std::move(pin));
    }
    return pins.empty() ? "none" : joined(pins);
}

bool is_of_an_installation(const X509* certificate) {
    std::array<char, 64> name{};
    X509_NAME_get_text_by_NID(
        X509_get_subject_name(certificate), NID_commonName, name.data(), name.size()
    );
    return std::string_view{name.data()}.starts_with(crypto::kAuthorityName);
}

// The pin of the authority that the pinned one at the end of the chain gave a certificate; nullopt
// if it signed for the server itself, or is another kind of authority, which has others below it.
std::optional<std::string> successor_of(STACK_OF(X509) * verified) {
    if (sk_X509_num(verified) != 3) return std::nullopt;
    const auto* next = sk_X509_value(verified, 1);
    if (!is_of_an_installation(next) || !is_of_an_installation(sk_X509_value(verified, 2)))
        return std::nullopt;
    return crypto::public_key_pin(next);
}

}  // namespace

void PinnedAuthorities::judge_handshakes_of(SSL_CTX* context) {
    SSL_CTX_set_cert_verify_callback(context, &PinnedAuthorities::on_handshake, this);
}

void PinnedAuthorities::begin_request(Validity validity) {
    validity_ = validity;
    refusal_.reset();
    shown_.reset();
}

void PinnedAuthorities::accept_handshake() {
    if (shown_) pins_ = *std::exchange(shown_, std::nullopt);
}

std::vector<std::string> PinnedAuthorities::take_shown() {
    return std::exchange(shown_, std::nullopt).value_or(std::vector<std::string>{});
}

bool PinnedAuthorities::is_pinned(std::string_view pin) const {
    return std::ranges::find(pins_, pin) != pins_.end();
}

int PinnedAuthorities::on_handshake(X509_STORE_CTX* shown, void* self) {
    return static_cast<PinnedAuthorities*>(self)->accepts(shown) ? 1 : 0;
}

// OpenSSL called: no exception may go through it.
bool PinnedAuthorities::accepts(X509_STORE_CTX* shown) {
    try {
        return judge(shown);
    } catch (const std::exception& error) {
        return refuse(shown, X509_V_ERR_UNSPECIFIED, kTlsFailed, error.what());
    }
}

bool PinnedAuthorities::refuse(
    X509_STORE_CTX* shown, int error, std::string_view code, std::string detail
) {
    X509_STORE_CTX_set_error(shown, error);
    refusal_ = Problem{Kind::unavailable, std::string{code}, std::move(detail)};
    return false;
}

bool PinnedAuthorities::judge(X509_STORE_CTX* shown) {
    begin_request(validity_);
    auto* chain = X509_STORE_CTX_get0_untrusted(shown);
    const Store anchors{X509_STORE_new(), &X509_STORE_free};
    const Chain between{sk_X509_new_null()};
    const StoreContext context{X509_STORE_CTX_new(), &X509_STORE_CTX_free};
    if (!anchors || !between || !context) throw std::bad_alloc{};
    std::vector<std::string> still;  // pinned, and shown
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        auto* certificate = sk_X509_value(chain, i);
        const auto pin = crypto::public_key_pin(certificate);
        const bool is_anchor = X509_check_ca(certificate) != 0 && is_pinned(pin);
        if (is_anchor) X509_STORE_add_cert(anchors.get(), certificate);
        // What signed itself and is not pinned leads nowhere, and would be taken for the way where
        // a certificate of the same name leads on.
        else if (X509_self_signed(certificate, 0) != 1) sk_X509_push(between.get(), certificate);
        if (is_anchor && std::ranges::find(still, pin) == still.end()) still.push_back(pin);
    }
    if (still.empty())
        return refuse(
            shown, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, kTlsAuthority,
            "the server is not of the authority that is pinned here, " + joined(pins_) +
                "; it shows " + shown_pins(chain)
        );
    auto* server = X509_STORE_CTX_get0_cert(shown);
    if (X509_STORE_CTX_init(context.get(), anchors.get(), server, between.get()) != 1)
        throw std::bad_alloc{};
    auto* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_depth(parameters, kDepthMax);
    X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
    // A pinned authority is where a chain ends, whoever signed its certificate.
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    const auto held = now_();
    const auto now = std::chrono::floor<std::chrono::seconds>(held.at.time_since_epoch());
    // A time that is set would count nevertheless.
    if (validity_ == Validity::checked) X509_VERIFY_PARAM_set_time(parameters, now.count());
    else X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_NO_CHECK_TIME);
    if (X509_verify_cert(context.get()) == 1) {
        if (auto next = successor_of(X509_STORE_CTX_get0_chain(context.get())))
            still.insert(still.begin(), *std::move(next));
        shown_ = std::move(still);
        X509_STORE_CTX_set_error(shown, X509_V_OK);
        return true;
    }

    const int error = X509_STORE_CTX_get_error(context.get());
    const auto* at = X509_STORE_CTX_get_current_cert(context.get());
    const auto here =
        ", and by " + held.by + " it is " + format_rfc3339(Timestamp{now}) + ": " + held.advice;
    if (error == X509_V_ERR_CERT_HAS_EXPIRED && at)
        return refuse(
            shown, error, kTlsExpired,
            "a certificate of the server ended at " + instant_text(X509_get0_notAfter(at)) + here
        );
    if (error == X509_V_ERR_CERT_NOT_YET_VALID && at)
        return refuse(
            shown, error, kTlsNotYetValid,
            "a certificate of the server begins at " + instant_text(X509_get0_notBefore(at)) + here
        );
    return refuse(
        shown, error, kTlsFailed,
        std::string{"the server's certificate does not hold: "} +
            X509_verify_cert_error_string(error)
    );
}

}  // namespace synapsex::net

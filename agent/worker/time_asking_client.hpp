#pragma once

// Sends what another HttpClient sends. Where that one refuses a pinned server because by the time
// here its certificate has ended or not begun, asks that server once for a proof of the present
// (crypto/time_proof.hpp), and sends the request again if it got one: then the certificate is held
// to the time that was proved. What was refused has not been sent, so nothing is sent twice.

#include "agent/worker/certificate_clock.hpp"
#include "shared/base/random.hpp"
#include "shared/net/forwarding_http_client.hpp"

namespace synapsex::agent {

// Whether a certificate was refused for the time alone.
bool is_of_time(const Problem& problem);

class TimeAskingClient final : public net::ForwardingHttpClient {
 public:
    // `inner` holds certificates to the clock's now(). All outlive it.
    TimeAskingClient(net::HttpClient& inner, CertificateClock& clock, Random& random)
        : ForwardingHttpClient(inner), clock_(clock), random_(random) {}

    Result<net::HttpResponse> send(const net::HttpRequest& request) override;

    // An answer that comes later is none: the time may be an old one.
    static constexpr std::chrono::seconds kAnswerTime{15};

 private:
    // A Problem says in half a sentence why not.
    Result<Done> ask(const std::string& base_url);
    void tell(Timestamp proven, Timestamp here);

    CertificateClock& clock_;
    Random& random_;
    std::chrono::microseconds told_{0};  // how far the clock is ahead, as the log has it
};

}  // namespace synapsex::agent

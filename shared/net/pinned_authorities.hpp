#pragma once

// Decides by pins whether a server is the right one: the chain that it shows has to hold an
// authority whose public key is pinned (crypto/public_key_pin.hpp), and to lead to it. Nothing else
// is trusted: not the system's authorities, not a file. The name is libcurl's to check.
//
// An authority of an installation (crypto/authority.hpp) may be followed by another, on its own
// signature and on nobody's word: then both are pinned, until the server shows the former one no
// more.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/problem.hpp"
#include "shared/base/time.hpp"
#include "shared/net/http_client.hpp"

struct ssl_ctx_st;
struct x509_store_ctx_st;

namespace synapsex::net {

// The time that certificates are held to, and for who reads of a refusal: whose it is, and what to
// do if it is wrong.
struct HeldTime {
    HeldTime(Timestamp time) : at(time) {}
    HeldTime(Timestamp time, std::string whose, std::string what_to_do)
        : at(time), by(std::move(whose)), advice(std::move(what_to_do)) {}

    Timestamp at;
    std::string by = "this machine's clock";
    std::string advice = "set the clock if that is wrong, or else renew the certificate";
};

class PinnedAuthorities {
 public:
    PinnedAuthorities(std::vector<std::string> pins, std::function<HeldTime()> now)
        : pins_(std::move(pins)), now_(std::move(now)) {}

    // Every handshake of the context is judged here, from then on and while this lives.
    void judge_handshakes_of(ssl_ctx_st* context);

    // Judges one; for who has a part of its own in the handshake. Does not throw.
    bool accepts(x509_store_ctx_st* shown);

    const std::vector<std::string>& pins() const { return pins_; }
    // Before a request: how its handshakes are judged; what those before it said is no longer asked
    // for.
    void begin_request(Validity validity);
    // After an answer came: the chain was the server's own, which has proved its key and its name,
    // so what it shows is pinned from now on.
    void accept_handshake();
    // The same, if time did not count: nothing is pinned, and the caller has it instead.
    std::vector<std::string> take_shown();
    // Why the last handshake was refused, with a code of http_client.hpp; nullopt if it was not.
    const std::optional<Problem>& refusal() const { return refusal_; }

 private:
    static int on_handshake(x509_store_ctx_st* shown, void* self);
    bool judge(x509_store_ctx_st* shown);
    bool refuse(x509_store_ctx_st* shown, int error, std::string_view code, std::string detail);
    bool is_pinned(std::string_view pin) const;

    std::vector<std::string> pins_;
    std::optional<std::vector<std::string>> shown_{};  // those to pin, if the server proves itself
    Validity validity_ = Validity::checked;
    const std::function<HeldTime()> now_;
    std::optional<Problem> refusal_;
};

}  // namespace synapsex::net

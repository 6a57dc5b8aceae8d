#include "agent/app/authentication_trial.hpp"

#include "agent/core/waits.hpp"
#include "agent/transport/control_plane.hpp"

namespace synapsex::agent {

using Outcome = ConnectionStep::Outcome;

namespace {

std::string_view name_of(KeySlot slot) {
    if (slot == KeySlot::next) return "agent.key.next";
    return slot == KeySlot::former ? "agent.key.former" : "agent.key";
}

class Trial {
 public:
    Trial(
        const Identity& identity, const AgentKeys& keys, net::HttpClient& http, const Clock& clock,
        Random& random
    )
        : keys_(keys),
          control_plane_(http, identity.url),
          clock_(clock),
          random_(random),
          claims_{identity.agent_id.text(), identity.issuer, clock.now()} {
        choice_.set_available(keys.next.has_value(), keys.former.has_value());
    }

    ConnectionStep run() {
        const auto begin = clock_.steady_now();
        // What is said of an older key hides nothing, as where the agent itself asks.
        std::optional<CallFailure> forgotten;
        while (true) {
            const auto token = ask();
            const auto time =
                std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady_now() - begin);
            if (token) return {"authentication", Outcome::ok, time, taken()};
            const auto& failure = token.error();
            if (is_forgotten(failure) && !forgotten) forgotten = failure;
            if (!is_another_key(failure)) return failed(failure, time);
            if (!choice_.on_refused()) return failed(forgotten.value_or(failure), time);
        }
    }

 private:
    CallResult<AccessToken> ask() {
        const auto& key = keys_.at(choice_.slot());
        auto token = control_plane_.fetch_token(sign_assertion(claims_, key, random_));
        if (token || !token.error().server_time) return token;
        // As the agent does it where the clocks differ.
        claims_.issued_at = *token.error().server_time;
        return control_plane_.fetch_token(sign_assertion(claims_, key, random_));
    }

    std::string taken() const {
        auto text = "as agent " + claims_.agent_id;
        if (choice_.slot() == KeySlot::current) return text;
        return text + ", by the key of " + std::string{name_of(choice_.slot())} +
               ": the agent goes over to it by itself";
    }

    static ConnectionStep failed(const CallFailure& failure, std::chrono::milliseconds time) {
        const auto code =
            failure.code.empty() ? "status " + std::to_string(failure.status) : failure.code;
        std::string advice{advice_on(failure.code)};
        if (failure.status == 429 || failure.status >= 500)
            advice = "The control plane is busy or in trouble; look at its /readyz and log.";
        if (advice.empty()) advice = "Look into the control plane's log.";
        return {"authentication", Outcome::failed, time, code + ": " + failure.detail, advice};
    }

    const AgentKeys& keys_;
    ControlPlane control_plane_;
    const Clock& clock_;
    Random& random_;
    AssertionClaims claims_;
    KeyChoice choice_;
};

}  // namespace

ConnectionStep try_authentication(
    const Identity& identity, const AgentKeys& keys, net::HttpClient& http, const Clock& clock,
    Random& random
) {
    return Trial{identity, keys, http, clock, random}.run();
}

}  // namespace synapsex::agent

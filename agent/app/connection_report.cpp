#include "agent/app/connection_report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "agent/app/status_command.hpp"
#include "shared/net/http_client.hpp"

namespace synapsex::agent {

using Outcome = ConnectionStep::Outcome;

namespace {

std::string_view word_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::ok: return "ok";
        case Outcome::failed: return "failed";
        case Outcome::skipped: return "skipped";
    }
    return "failed";
}

}  // namespace

bool ConnectionReport::is_fine() const {
    return std::ranges::none_of(steps, [](const ConnectionStep& step) {
        return step.outcome == Outcome::failed;
    });
}

boost::json::object connection_json(const ConnectionReport& report) {
    boost::json::array steps;
    for (const auto& step : report.steps)
        steps.push_back(boost::json::object{
            {"step", step.name},
            {"result", std::string{word_of(step.outcome)}},
            {"milliseconds", step.time.count()},
            {"detail", step.detail},
            {"advice", step.advice},
        });
    return {
        {"ok", report.is_fine()},
        {"url", report.url},
        {"steps", std::move(steps)},
        {"certificates", report.certificates},
    };
}

void print_connection(const ConnectionReport& report) {
    for (const auto& step : report.steps) {
        std::printf("%-8s %-15s %6lld ms  %s\n", std::string{word_of(step.outcome)}.c_str(),
                    step.name.c_str(), static_cast<long long>(step.time.count()),
                    visible_text(step.detail).c_str());
        if (!step.advice.empty()) std::printf("         -> %s\n", step.advice.c_str());
    }
    for (const auto& value : report.certificates) {
        const auto& shown = value.as_object();
        std::printf(
            "certificate %s, %s to %s, pin %s\n",
            visible_text(shown.at("subject").as_string()).c_str(),
            shown.at("notBefore").as_string().c_str(), shown.at("notAfter").as_string().c_str(),
            shown.at("pin").as_string().c_str()
        );
    }
}

std::string_view advice_on(std::string_view code) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kAdvice{{
        {net::kUnreachable,
         "Does the control plane run, and listen on this address and port? Does a firewall "
         "refuse?"},
        {net::kTlsAuthority,
         "Is this the right server? If its authority is another on purpose, put the pin that "
         "`synapsex-controlplane keys` shows into agent.toml as authority_pin."},
        {net::kTlsName,
         "Use a host name of the certificate in url, or start the control plane with --tls-names "
         "for this one."},
        {net::kTlsExpired,
         "Compare the clocks of both machines: see `timedatectl`. If they are right, renew the "
         "certificate."},
        {net::kTlsNotYetValid, "Compare the clocks of both machines: see `timedatectl`."},
        {net::kTlsFailed, "Does TLS listen on this port? Is the chain in --tls-certificate whole?"},
        {net::kClosed, "Does TLS listen on this port, or does something on the way cut it?"},
        {net::kTimeout, "Something on the way drops packets without a word: ask the firewall."},
        {"auth.unknown_key",
         "The control plane does not know this agent. Put a new enrollment token into the token's "
         "file; an agent that runs takes it within a minute."},
        {"auth.agent_revoked",
         "The agent was removed there. Put a new enrollment token into the token's file; an agent "
         "that runs takes it within a minute."},
        {"auth.key_replaced",
         "The key was replaced, here before the VM was put back to an older state, or by somebody "
         "else. Put a new enrollment token into the token's file; an agent that runs takes it "
         "within a minute."},
        {"auth.assertion_bad_signature",
         "The control plane has another key of this agent. If the agent is being given one this "
         "moment, ask again in a minute; else see keys of agents in docs/agent.md."},
        {net::kProtocolError,
         "What answers there is no control plane: check host and port of url."},
        {net::kInsecureUrl, "Use https:// in url."},
        {net::kInvalidUrl, "Mend url in agent.toml."},
    }};
    const auto* found =
        std::ranges::find_if(kAdvice, [&](const auto& each) { return each.first == code; });
    return found == kAdvice.end() ? std::string_view{} : found->second;
}

}  // namespace synapsex::agent

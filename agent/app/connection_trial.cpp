#include "agent/app/connection_trial.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include <netdb.h>

#include "agent/app/agent_user.hpp"
#include "agent/app/proxy_choice.hpp"
#include "agent/app/status_command.hpp"
#include "agent/core/messages.hpp"
#include "agent/transport/control_plane.hpp"
#include "agent/worker/agent_key_files.hpp"
#include "agent/worker/enroller.hpp"
#include "agent/worker/files.hpp"
#include "agent/worker/identity_store.hpp"
#include "shared/base/version.hpp"
#include "shared/crypto/enrollment_token.hpp"
#include "shared/net/url_rules.hpp"

namespace synapsex::agent {

using Outcome = ConnectionStep::Outcome;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr milliseconds kConnectTime{10'000};
constexpr milliseconds kRequestTime{14'000};
// As much as a certificate or a job may be off by before people wonder.
constexpr seconds kSkewMax{60};

// What the worker would go by.
struct Standing {
    std::string url;
    std::optional<Identity> identity;
    std::optional<crypto::Ed25519Key> key;
    std::vector<std::string> pins;
    std::string trust;  // where they come from
    std::string token;  // a sentence on the token's file
};

std::string instant(Timestamp time) { return format_rfc3339(time); }

std::string joined(const std::vector<std::string>& texts) {
    std::string list;
    for (const auto& text : texts) list += (list.empty() ? "" : ", ") + text;
    return list.empty() ? "none" : list;
}

std::string advice_on(std::string_view code, const net::ConnectionRecord& record) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kAdvice{{
        {net::kTlsAuthority,
         "Is this the right server? If its authority is another on purpose, put the pin that "
         "`synapsex-controlplane keys` shows into agent.toml as authority_pin."},
        {net::kTlsName,
         "Use a host name of the certificate in url, or start the control plane with --tls-names "
         "for this one."},
        {net::kTlsExpired, "Compare the clocks of both machines, then renew the certificate."},
        {net::kTlsNotYetValid, "Compare the clocks of both machines: see `timedatectl`."},
        {net::kTlsFailed, "Does TLS listen on this port? Is the chain in --tls-certificate whole?"},
        {net::kClosed, "Does TLS listen on this port, or does something on the way cut it?"},
        {net::kTimeout, "Something on the way drops packets without a word: ask the firewall."},
        {"auth.unknown_key",
         "The control plane does not know this agent. Put a new enrollment token into the token's "
         "file and restart the agent."},
        {"auth.agent_revoked",
         "The agent was removed there. Put a new enrollment token into the token's file and "
         "restart the agent."},
        {"auth.key_replaced",
         "The key was replaced, here before the VM was put back to an older state, or by somebody "
         "else. Put a new enrollment token into the token's file and restart the agent."},
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
    if (found != kAdvice.end()) return std::string{found->second};
    if (!record.resolved_after) return "Check the name in url, and /etc/resolv.conf or /etc/hosts.";
    return "Does the control plane run, and listen on this address and port? Does a firewall "
           "refuse?";
}

class Test {
 public:
    Test(const AgentConfig& config, const ConnectionTools& tools)
        : config_(config), tools_(tools) {}

    ConnectionReport run() {
        const auto standing = stand();
        if (!standing) {
            add({"settings", Outcome::failed, {}, standing.error().detail,
                 "Mend it, then try again; --print-config shows where each setting comes from."});
            return std::move(report_);
        }
        report_.url = standing->url;
        add({"settings", Outcome::ok, {}, standing->url + ", " + standing->trust});
        visit(*standing);
        return std::move(report_);
    }

 private:
    void add(ConnectionStep step) { report_.steps.push_back(std::move(step)); }

    Result<Standing> stand() {
        Standing standing;
        const auto token = find_token();
        SYNAPSEX_CHECK(read_identity(standing));
        standing.url = config_.url;
        if (standing.url.empty() && standing.identity) standing.url = standing.identity->url;
        if (standing.url.empty())
            return Problem{
                .kind = Kind::invalid, .code = "agent.config_invalid",
                .detail = "The address of the control plane (url) is not set."
            };
        SYNAPSEX_CHECK(net::check_url(standing.url));
        if (!config_.authority_pin.empty()) {
            const bool is_none = config_.authority_pin == kNoAuthorityPin;
            const auto setting = is_none ? std::string{} : config_.authority_pin;
            if (standing.identity) standing.pins = pins_of(*standing.identity, setting);
            else if (!is_none) standing.pins = {setting};
            standing.trust = "authority pinned by agent.toml";
        } else if (standing.identity) {
            standing.pins = standing.identity->authority_pins;
            standing.trust = "authority pinned at enrollment";
        } else if (token) {
            if (!token->authority_pin.empty()) standing.pins = {token->authority_pin};
            standing.trust = "authority pinned by the enrollment token";
        }
        if (standing.pins.empty())
            standing.trust = config_.ca_file.empty() ? "the system's authorities"
                                                     : "the authorities of " + config_.ca_file;
        if (net::split_url(standing.url)->scheme == "http") standing.trust = "in clear";
        standing.token = token ? "a whole enrollment token is there" : "there is no whole token";
        return standing;
    }

    // With the own rights: the file may be root's alone. What the package's unit has handed over is
    // in the data directory.
    std::optional<crypto::EnrollmentTokenText> find_token() {
        if (auto token = read_token(config_.token_file)) return token;
        const auto user = AgentUser::become(config_.data_dir, "test its connection");
        return user ? read_token(config_.data_dir / "enrollment-token") : std::nullopt;
    }

    static std::optional<crypto::EnrollmentTokenText> read_token(
        const std::filesystem::path& path
    ) {
        constexpr std::size_t kTokenBytesMax = 4096;
        if (path.empty()) return std::nullopt;
        auto text = find_own_file(path, kTokenBytesMax);
        if (!text || !*text) return std::nullopt;
        (*text)->erase((*text)->find_last_not_of(" \t\r\n") + 1);
        return crypto::parse_enrollment_token(**text);
    }

    Result<Done> read_identity(Standing& standing) {
        const auto user = AgentUser::become(config_.data_dir, "test its connection");
        if (!user && user.error().code == "agent.no_data_dir") return Done{};
        if (!user) return user.error();
        const IdentityStore store{config_.data_dir};
        SYNAPSEX_TRY(standing.identity, store.find_identity());
        if (!standing.identity) return Done{};
        SYNAPSEX_TRY(const auto keys, AgentKeyFiles{config_.data_dir}.load());
        standing.key.emplace(keys.current);
        return Done{};
    }

    void visit(const Standing& standing) {
        const auto proxy = config_.proxy == net::ProxyUse::environment
                               ? choose_proxy(standing.url, tools_.environment)
                               : std::nullopt;
        net::ConnectionRecord record;
        net::CurlHttpClient http{{
            .user_agent = "synapsex-agent/" + std::string{kVersion},
            .ca_file = config_.ca_file,
            .proxy = config_.proxy,
            .record = &record,
        }};
        if (!standing.pins.empty()) http.pin_authorities(standing.pins);
        const auto sent_at = tools_.clock.now();
        const net::HttpRequest request{
            .url = standing.url + "/healthz", .connect_timeout = kConnectTime,
            .timeout = kRequestTime
        };
        const auto answer = http.send(request);
        std::optional<Problem> failure;
        if (!answer) failure = answer.error();
        for (const auto& certificate : record.chain)
            report_.certificates.push_back(json_of(certificate));
        if (!tell_of_way(standing, proxy, record, failure)) return;
        const auto way = record.secured_after ? record.secured_after : record.connected_after;
        const auto took = ms(record.ended_after - way.value_or(microseconds{0}));
        if (answer->status != 200)
            return add({"api", Outcome::failed, took,
                        "/healthz answered " + std::to_string(answer->status),
                        "What answers there is no control plane that serves: check host, port and "
                        "path of url, and what stands before it."});
        add({"api", Outcome::ok, took, "/healthz answered 200"});
        tell_of_clock(record, sent_at);
        authenticate(standing, http);
    }

    static milliseconds ms(microseconds time) {
        return std::chrono::duration_cast<milliseconds>(std::max(time, microseconds{0}));
    }

    // False once a step has failed.
    bool tell_of_way(
        const Standing& standing, const std::optional<ProxyChoice>& proxy,
        const net::ConnectionRecord& record, const std::optional<Problem>& failure
    ) {
        const auto url = *net::split_url(standing.url);
        const auto failed = [&](std::string name, microseconds since) {
            add({std::move(name), Outcome::failed, ms(record.ended_after - since),
                 failure->code + ": " + failure->detail, advice_on(failure->code, record)});
            return false;
        };
        const std::string host = proxy ? proxy->host : url.host;
        if (!record.resolved_after) return failed("name", {});
        add({"name", Outcome::ok, ms(*record.resolved_after), host + " is " + addresses_of(host)});
        const bool is_cut = failure && failure->code == net::kClosed;
        if (!record.is_connected && !is_cut) return failed("connect", *record.resolved_after);
        const auto connected_after = record.connected_after.value_or(*record.resolved_after);
        add({"connect", Outcome::ok, ms(connected_after - *record.resolved_after),
             (proxy ? "to the proxy at " : "to ") + record.address});
        if (proxy && !tell_of_proxy(*proxy, record)) return false;
        const bool is_tls = url.scheme == "https";
        if (is_tls && !record.secured_after) return failed("tls", connected_after);
        if (is_tls) add(tls_step(record));
        if (!failure) return true;
        return failed("api", record.secured_after.value_or(connected_after));
    }

    bool tell_of_proxy(const ProxyChoice& proxy, const net::ConnectionRecord& record) {
        const bool is_refused = record.proxy_status != 0 && record.proxy_status / 100 != 2;
        if (!is_refused) {
            add({"proxy", Outcome::ok, {}, "by " + proxy.variable + ": " + proxy.shown});
            return true;
        }
        add({"proxy", Outcome::failed, {},
             "the proxy " + proxy.shown + " answered " + std::to_string(record.proxy_status),
             record.proxy_status == 407
                 ? "It wants a user and a password: put them into " + proxy.variable + "."
                 : "It does not let connections to this host and port through."});
        return false;
    }

    static ConnectionStep tls_step(const net::ConnectionRecord& record) {
        auto detail = record.tls_version + ", " + record.cipher;
        if (!record.chain.empty())
            detail += "; certificate for " + joined(record.chain.front().names) + " until " +
                      instant(record.chain.front().not_after);
        const auto connected_after = record.connected_after.value_or(*record.resolved_after);
        return {"tls", Outcome::ok, ms(*record.secured_after - connected_after), detail};
    }

    void tell_of_clock(const net::ConnectionRecord& record, Timestamp sent_at) {
        if (!record.server_time)
            return add({"clock", Outcome::skipped, {}, "the answer has no date"});
        // The date has whole seconds and was written between the request and its answer.
        const auto difference = std::chrono::floor<seconds>(sent_at) - *record.server_time;
        const auto away = std::chrono::duration_cast<seconds>(difference).count();
        const auto text = "this machine's clock is " + std::to_string(std::abs(away)) + " s " +
                          (away < 0 ? "behind" : "ahead of") + " the server's";
        if (std::abs(away) <= kSkewMax.count())
            return add({"clock", Outcome::ok, {}, std::abs(away) <= 1 ? "as the server's" : text});
        add({"clock", Outcome::failed, {}, text,
             "Set it right: `timedatectl` says whether it is kept. Certificates and the end of "
             "work are held to it."});
    }

    // A token of its own: those of the agent that runs stay as they are.
    void authenticate(const Standing& standing, net::HttpClient& http) {
        if (!standing.identity)
            return add({"authentication", Outcome::skipped, {},
                        "this agent is not enrolled; " + standing.token});
        ControlPlane control_plane{http, standing.url};
        const auto begin = tools_.clock.steady_now();
        AssertionClaims claims{
            .agent_id = standing.identity->agent_id.text(),
            .issuer = standing.identity->issuer,
            .issued_at = tools_.clock.now(),
        };
        const auto ask = [&] {
            return control_plane.fetch_token(sign_assertion(claims, *standing.key, tools_.random));
        };
        auto token = ask();
        if (!token && token.error().server_time) {
            // As the agent does it where the clocks differ.
            claims.issued_at = *token.error().server_time;
            token = ask();
        }
        const auto time =
            std::chrono::duration_cast<milliseconds>(tools_.clock.steady_now() - begin);
        if (token)
            return add({"authentication", Outcome::ok, time, "as agent " + claims.agent_id});
        const auto& failure = token.error();
        add({"authentication", Outcome::failed, time,
             (failure.code.empty() ? "status " + std::to_string(failure.status) : failure.code) +
                 ": " + failure.detail,
             failure.status == 429 || failure.status >= 500
                 ? "The control plane is busy or in trouble; look at its /readyz and log."
                 : advice_on(failure.code, {.resolved_after = microseconds{1}})});
    }

    // All that the system knows; it has answered a moment ago.
    static std::string addresses_of(const std::string& host) {
        std::string name = host;
        if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
        addrinfo wish{};
        wish.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        if (::getaddrinfo(name.c_str(), nullptr, &wish, &found) != 0) return "unknown";
        const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
        std::vector<std::string> texts;
        for (const auto* each = found; each != nullptr; each = each->ai_next) {
            std::array<char, NI_MAXHOST> text{};
            if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0,
                              NI_NUMERICHOST) == 0)
                texts.emplace_back(text.data());
        }
        return joined(texts);
    }

    static boost::json::object json_of(const net::ShownCertificate& certificate) {
        const auto& names = certificate.names;
        return {
            {"subject", certificate.subject},
            {"names", boost::json::array(names.begin(), names.end())},
            {"pin", certificate.pin},
            {"authority", certificate.is_authority},
            {"notBefore", instant(certificate.not_before)},
            {"notAfter", instant(certificate.not_after)},
        };
    }

    const AgentConfig& config_;
    const ConnectionTools& tools_;
    ConnectionReport report_;
};

std::string_view word_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::ok: return "ok";
        case Outcome::failed: return "failed";
        case Outcome::skipped: return "skipped";
    }
    return "failed";
}

void print(const ConnectionReport& report) {
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

}  // namespace

bool ConnectionReport::is_fine() const {
    return std::ranges::none_of(steps, [](const ConnectionStep& step) {
        return step.outcome == Outcome::failed;
    });
}

ConnectionReport test_connection(const AgentConfig& config, const ConnectionTools& tools) {
    return Test{config, tools}.run();
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

int test_connection_command(
    const AgentConfig& config, StatusFormat format, const ConnectionTools& tools
) {
    const auto report = test_connection(config, tools);
    if (format == StatusFormat::json)
        std::printf("%s\n", boost::json::serialize(connection_json(report)).c_str());
    else print(report);
    return report.is_fine() ? 0 : 1;
}

}  // namespace synapsex::agent

#include "agent/app/connection_trial.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "agent/app/agent_user.hpp"
#include "agent/app/authentication_trial.hpp"
#include "agent/app/child_output.hpp"
#include "agent/app/clock_comparison.hpp"
#include "agent/app/http_until.hpp"
#include "agent/app/proxy_choice.hpp"
#include "agent/app/run_command.hpp"
#include "agent/worker/agent_key_files.hpp"
#include "agent/worker/files.hpp"
#include "agent/worker/identity_store.hpp"
#include "agent/worker/time_asking_client.hpp"
#include "shared/crypto/enrollment_token.hpp"
#include "shared/net/url_rules.hpp"

namespace synapsex::agent {

using Outcome = ConnectionStep::Outcome;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Of all of it; the rest of the 30 s is for starting and printing on a busy machine.
constexpr seconds kTime{25};
constexpr ChildLimits kLookUpLimits{.time = milliseconds{2'000}, .bytes_max = 16 * 1024};
// Of the first request, so that there is time for the others.
constexpr milliseconds kConnectTime{10'000};
constexpr milliseconds kRequestTime{14'000};
// A floor of the time that is later than now, by more than clocks differ anyway.
constexpr seconds kFloorAhead{60};

// What the worker would go by.
struct Standing {
    std::string url;
    std::optional<Identity> identity;
    std::optional<AgentKeys> keys;
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

class Test {
 public:
    Test(const AgentConfig& config, const ConnectionTools& tools)
        : config_(config), tools_(tools), deadline_(Deadline::after(tools.clock, kTime)) {}

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
        time_floor_.emplace();
        const auto user = AgentUser::become(config_.data_dir, "test its connection");
        if (!user && user.error().code == "agent.no_data_dir") return Done{};
        if (!user) return user.error();
        time_floor_.emplace(config_.data_dir / kTimeFloorFile);
        const IdentityStore store{config_.data_dir};
        SYNAPSEX_TRY(standing.identity, store.find_identity());
        if (!standing.identity) return Done{};
        SYNAPSEX_TRY(standing.keys, AgentKeyFiles{config_.data_dir}.load());
        return Done{};
    }

    net::HeldTime hold() {
        auto held = certificate_clock_->now();
        held_at_ = held.at;
        return held;
    }
    std::string floor_text() const {
        return instant(held_at_) + ", which " + (config_.data_dir / kTimeFloorFile).string() +
               " has from before";
    }
    std::string held_text() const {
        if (certificate_clock_->was_proof_used())
            return "; certificates are held to the time that the control plane has proved";
        const bool is_far = std::chrono::abs(held_at_ - tools_.clock.now()) > kFloorAhead;
        return certificate_clock_->was_floor_used() && is_far
                   ? "; certificates are held to " + floor_text()
                   : "";
    }

    void visit(const Standing& standing) {
        const auto proxy = config_.proxy == net::ProxyUse::environment
                               ? choose_proxy(standing.url, tools_.environment)
                               : std::nullopt;
        net::ConnectionRecord record;
        certificate_clock_.emplace(*time_floor_, tools_.clock);
        auto options = http_options(config_, [this] { return hold(); });
        options.record = &record;
        net::CurlHttpClient http{std::move(options)};
        if (!standing.pins.empty()) http.pin_authorities(standing.pins);
        HttpUntil in_time{http, deadline_, tools_.clock};
        TimeAskingClient asking{in_time, *certificate_clock_, tools_.random};
        const net::HttpRequest request{
            .url = standing.url + "/healthz", .connect_timeout = kConnectTime,
            .timeout = kRequestTime
        };
        auto answer = in_time.send(request);
        if (!answer && is_of_time(answer.error())) {
            auto refused = record;
            answer = asking.send(request);
            if (!answer) record = std::move(refused);
        }
        const auto sent_at = in_time.sent_at();
        std::optional<Problem> failure;
        if (!answer) failure = answer.error();
        for (const auto& certificate : record.chain)
            report_.certificates.push_back(json_of(certificate));
        if (!tell_of_way(standing, proxy, record, failure)) return;
        const auto way = record.secured_after ? record.secured_after : record.connected_after;
        const auto asked_after = way.value_or(microseconds{0});
        const auto took = ms(record.ended_after - asked_after);
        if (answer->status != 200)
            return add({"api", Outcome::failed, took,
                        "/healthz answered " + std::to_string(answer->status),
                        "What answers there is no control plane that serves: check host, port and "
                        "path of url, and what stands before it."});
        add({"api", Outcome::ok, took, "/healthz answered 200"});
        tell_of_clock(record, sent_at + asked_after, sent_at + record.ended_after);
        if (!standing.identity)
            return add({"authentication", Outcome::skipped, {},
                        "this agent is not enrolled; " + standing.token});
        auto identity = *standing.identity;
        identity.url = standing.url;
        add(try_authentication(identity, *standing.keys, asking, tools_.clock, tools_.random));
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
                 failure->code + ": " + failure->detail, advice(failure->code, record)});
            return false;
        };
        const std::string host = proxy ? proxy->host : url.host;
        if (!record.resolved_after) return failed("name", {});
        add({"name", Outcome::ok, ms(*record.resolved_after),
             host + " is " + addresses_of(host, record)});
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

    std::string advice(std::string_view code, const net::ConnectionRecord& record) const {
        if (!record.resolved_after)
            return "Check the name in url, and /etc/resolv.conf or /etc/hosts.";
        if (code == net::kClosed && report_.url.starts_with("http://"))
            return "If TLS listens on this port, url has to begin with https://.";
        if (code == net::kTlsExpired && certificate_clock_->was_floor_used())
            return "Certificates are held to " + floor_text() +
                   ". If that time has not come yet, delete that file and restart the agent.";
        const auto known = advice_on(code);
        return std::string{known.empty() ? advice_on(net::kUnreachable) : known};
    }

    void tell_of_clock(
        const net::ConnectionRecord& record, Timestamp asked_at, Timestamp answered_at
    ) {
        if (!record.server_time)
            return add({"clock", Outcome::skipped, {}, "the answer has no date"});
        auto step = compare_clocks({asked_at, answered_at, *record.server_time});
        step.detail += held_text();
        add(std::move(step));
    }

    // All that the system knows; it has answered a moment ago.
    std::string addresses_of(const std::string& host, const net::ConnectionRecord& record) const {
        std::string name = host;
        if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
        const auto found =
            output_of({"/usr/bin/getent", "ahosts", "--", name}, kLookUpLimits, tools_.clock);
        std::vector<std::string> addresses;
        std::istringstream lines{found.value_or("")};
        for (std::string line; std::getline(lines, line);)
            if (const auto end = line.find(" STREAM"); end != line.npos)
                addresses.push_back(line.substr(0, line.find(' ')));
        if (addresses.empty() && !record.address.empty()) return record.address;
        return addresses.empty() ? "known" : joined(addresses);
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
    const Deadline deadline_;
    std::optional<TimeFloor> time_floor_;
    std::optional<CertificateClock> certificate_clock_;
    Timestamp held_at_{};
    ConnectionReport report_;
};

}  // namespace

ConnectionReport test_connection(const AgentConfig& config, const ConnectionTools& tools) {
    return Test{config, tools}.run();
}

int test_connection_command(
    const AgentConfig& config, StatusFormat format, const ConnectionTools& tools
) {
    const auto report = test_connection(config, tools);
    if (format == StatusFormat::json)
        std::printf("%s\n", boost::json::serialize(connection_json(report)).c_str());
    else print_connection(report);
    return report.is_fine() ? 0 : 1;
}

}  // namespace synapsex::agent

#include <cstdio>

#include "controlplane/app/commands.hpp"
#include "shared/net/egress_policy.hpp"

namespace synapsex::app {

namespace {

constexpr std::chrono::seconds kLookupBudget{15};
constexpr int kAllowed = 0;
constexpr int kRefused = 1;

std::string said(const net::EgressJudgement& judgement) {
    std::string text;
    if (judgement.url) {
        text += judgement.url->url + "\n";
        text += "  host  " + judgement.url->host + "\n";
        text += "  port  " + std::to_string(judgement.url->port) + "\n";
    }
    for (const auto& verdict : judgement.addresses)
        text += (verdict.code.empty() ? "  ok    " : "  no    ") + verdict.reason + "\n";
    if (!judgement.refusal) return text + "allowed\n";
    return text + "refused: " + judgement.refusal->code + "\n" + judgement.refusal->detail + "\n";
}

void append_member(std::string& json, std::string_view name, std::string_view value) {
    if (!json.ends_with('{')) json += ",";
    append_json_string(json, name);
    json += ":";
    append_json_string(json, value);
}

std::string json_of(const net::AddressVerdict& verdict) {
    std::string json = "{";
    append_member(json, "address", verdict.address.text());
    if (!verdict.code.empty()) append_member(json, "code", verdict.code);
    append_member(json, "reason", verdict.reason);
    return json + "}";
}

std::string as_json(const net::EgressJudgement& judgement) {
    std::string json = "{";
    append_member(json, "decision", judgement.refusal ? "refused" : "allowed");
    if (judgement.refusal) {
        append_member(json, "code", judgement.refusal->code);
        append_member(json, "detail", judgement.refusal->detail);
    }
    if (judgement.url) {
        append_member(json, "url", judgement.url->url);
        append_member(json, "host", judgement.url->host);
        json += ",\"port\":" + std::to_string(judgement.url->port);
    }
    std::string addresses;
    for (const auto& verdict : judgement.addresses)
        addresses += (addresses.empty() ? "" : ",") + json_of(verdict);
    return json + ",\"addresses\":[" + addresses + "]}\n";
}

}  // namespace

int check_egress(const Config& config, const EgressQuestion& question) {
    const SystemClock clock;
    net::SystemResolver resolver;
    const auto judgement = net::EgressPolicy{config.egress}.judge(
        question.url, resolver, Deadline::after(clock, kLookupBudget)
    );
    const auto text = question.is_json ? as_json(judgement) : said(judgement);
    std::fputs(text.c_str(), stdout);
    return judgement.refusal ? kRefused : kAllowed;
}

}  // namespace synapsex::app

#include "agent/worker/time_asking_client.hpp"

#include "agent/transport/json_codec.hpp"
#include "shared/base/log.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::agent {

namespace {

constexpr std::size_t kAnswerBytesMax = 4096;
// What is told once is told again where it differs by more.
constexpr std::chrono::minutes kNews{1};

// The control plane's address; empty for what is none of its requests.
std::string base_of(const std::string& url) {
    for (const std::string_view path : {"/v1/", "/healthz"})
        if (const auto at = url.rfind(path); at != url.npos) return url.substr(0, at);
    return {};
}

Problem unproven(std::string why) {
    return {.kind = Kind::unavailable, .code = "agent.time_unproven", .detail = std::move(why)};
}

}  // namespace

bool is_of_time(const Problem& problem) {
    return problem.code == net::kTlsExpired || problem.code == net::kTlsNotYetValid;
}

Result<net::HttpResponse> TimeAskingClient::send(const net::HttpRequest& request) {
    auto answer = inner_.send(request);
    if (answer || !is_of_time(answer.error())) return answer;
    const auto base_url = base_of(request.url);
    if (base_url.empty() || inner_.pinned_authorities().empty()) return answer;
    const auto proven = ask(base_url);
    if (proven) return inner_.send(request);
    auto problem = answer.error();
    problem.detail += " (the control plane proves no other time: " + proven.error().detail + ")";
    return problem;
}

Result<Done> TimeAskingClient::ask(const std::string& base_url) {
    std::string bytes(crypto::kTimeNonceBytes, '\0');
    random_.fill(std::as_writable_bytes(std::span{bytes}));
    const auto nonce = crypto::to_base64url(bytes);
    const auto asked = clock_.moment();
    const auto answer = inner_.send({
        .method = "POST",
        .url = base_url + "/v1/agents/time",
        .headers = {{"Content-Type", "application/json"}},
        .body = write_time_question(nonce),
        .validity = net::Validity::unchecked,
        .timeout = kAnswerTime,
        .response_bytes_max = kAnswerBytesMax,
    });
    if (!answer) return unproven(answer.error().code);
    if (answer->status != 200) {
        const auto code = read_problem(answer->body).code;
        return unproven(code.empty() ? "status " + std::to_string(answer->status) : code);
    }
    const auto proof = read_time_proof(answer->body);
    if (!proof || !crypto::is_proven(*proof, nonce, answer->authorities))
        return unproven("what it answered is not signed by its authority for this question");
    if (clock_.moment().steady - asked.steady > kAnswerTime)
        return unproven("its answer came too late");
    clock_.on_proven(proof->time, asked);
    tell(proof->time, asked.wall);
    return Done{};
}

void TimeAskingClient::tell(Timestamp proven, Timestamp here) {
    const auto ahead = here - proven;
    if (std::chrono::abs(told_ - ahead) < kNews) return;
    told_ = ahead;
    log_warning("certificates are held to the time that the control plane has proved: set this "
                "machine's clock, or the control plane's if that is wrong",
                {{"machine", format_rfc3339(here)}, {"controlPlane", format_rfc3339(proven)}});
}

}  // namespace synapsex::agent

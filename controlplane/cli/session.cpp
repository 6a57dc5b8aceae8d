#include "controlplane/cli/session.hpp"

#include "controlplane/cli/answer.hpp"
#include "controlplane/services/auth/api.hpp"

namespace synapsex::cli {

namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{16} * 1024 * 1024;
constexpr std::size_t kIdempotencyKeyCharacters = 22;  // 130 bits

std::string method_name(api::Verb verb) {
    switch (verb) {
        case api::Verb::get: return "GET";
        case api::Verb::post: return "POST";
        case api::Verb::put: return "PUT";
        case api::Verb::patch: return "PATCH";
        case api::Verb::delete_: return "DELETE";
    }
    return "GET";
}

}  // namespace

Session::Session(
    SessionSettings settings, net::HttpClient& client, CredentialsFile file, Random& random
)
    : settings_(std::move(settings)), client_(client), file_(std::move(file)), random_(random) {}

Result<Done> Session::prepare(const api::OperationInfo& operation) {
    is_anonymous_ = !operation.access.reads_credential();
    if (!is_anonymous_ && settings_.sign_in == SignIn::nobody) return not_signed_in();
    const bool is_keyed =
        operation.method == api::Verb::post || operation.method == api::Verb::patch;
    idempotency_key_ = is_keyed && operation.replay == api::Replay::stored
                           ? random_.base62(kIdempotencyKeyCharacters)
                           : std::string{};
    return Done{};
}

Result<api::ClientResponse> Session::send(
    api::Verb method,
    const std::string& target,
    std::string_view content_type,
    const std::string& body
) {
    net::HttpRequest request{
        .method = method_name(method),
        .url = settings_.url + target,
        .headers = {{"Accept", "application/json"}},
        .body = body,
        .response_bytes_max = kAnswerBytesMax};
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) request.headers.push_back({std::string{name}, std::string{value}});
    };
    add("Content-Type", content_type);
    add("Idempotency-Key", idempotency_key_);
    if (!is_anonymous_) {
        add("Authorization", "Bearer " + settings_.bearer);
        add("X-Tenant-Id", settings_.tenant);
    }
    last_answer_.reset();
    SYNAPSEX_TRY(last_answer_, client_.send(request));
    return api::ClientResponse{last_answer_->status, last_answer_->body};
}

Problem Session::not_signed_in() const {
    return {
        .kind = Kind::unauthenticated,
        .code = "cli.not_signed_in",
        .detail = settings_.other_url.empty()
                      ? std::string{"You are not signed in."}
                      : "You are signed in to " + settings_.other_url + ", not to " +
                            settings_.url + "."};
}

bool Session::is_renewable(const api::OperationInfo& operation) const {
    return settings_.sign_in == SignIn::file &&
           operation.access.reads_credential() && last_answer_ &&
           last_answer_->status == 401;
}

// A refresh token works once, so whoever holds the lock looks first whether another program has
// renewed the tokens meanwhile.
Result<Done> Session::renew() {
    SYNAPSEX_TRY(const auto lock, file_.lock());
    SYNAPSEX_TRY(auto credentials, file_.load());
    if (!credentials || credentials->url != settings_.url || credentials->refresh_token.empty())
        return not_signed_in();
    if (credentials->access_token == settings_.bearer) {
        auth::Refresh refresh;
        refresh.refresh_token.emplace().value = credentials->refresh_token;
        SYNAPSEX_TRY(const auto tokens, call(auth::kRefresh, refresh));
        credentials->access_token = tokens.access_token;
        credentials->refresh_token = tokens.refresh_token;
        SYNAPSEX_CHECK(file_.save(*credentials));
    }
    settings_.bearer = credentials->access_token;
    return Done{};
}

Problem Session::completed(Problem problem) const {
    if (!last_answer_) return problem;
    problem.retry_after = retry_after_of(*last_answer_);
    // A proxy says that the control plane behind it does not answer.
    if (last_answer_->status == 502) problem.kind = Kind::unavailable;
    return problem;
}

}  // namespace synapsex::cli

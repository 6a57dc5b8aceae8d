#pragma once

// Calls of /v1 on somebody's behalf: adds the credential and the tenant, renews an expired access
// token once, and remembers the last answer.

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "controlplane/cli/credentials.hpp"
#include "controlplane/platform/api/client.hpp"
#include "controlplane/platform/api/operation.hpp"
#include "shared/base/random.hpp"
#include "shared/net/http_client.hpp"

namespace synapsex::cli {

enum class SignIn {
    nobody,
    access_token,  // from SYNAPSEX_ACCESS_TOKEN
    api_key,       // from SYNAPSEX_API_KEY
    file,          // from `synapsexctl login`
};

struct SessionSettings {
    std::string url;       // without a slash at the end
    std::string tenant{};  // id or slug; empty: the credential's own
    SignIn sign_in = SignIn::nobody;
    std::string bearer{};  // empty for SignIn::nobody
    std::string other_url{};  // for SignIn::nobody: the server that the kept sign-in is for
};

class Session final : private api::Transport {
 public:
    // `file` is read and written only for SignIn::file.
    Session(
        SessionSettings settings, net::HttpClient& client, CredentialsFile file, Random& random
    );

    // Fails with the server's problem, a net.* problem, client.bad_answer, or, before anything is
    // sent, cli.not_signed_in.
    template <class Request, class Response>
    Result<Response> call(
        const api::Operation<Request, Response>& operation, const Request& request
    );

    const SessionSettings& settings() const { return settings_; }
    // The tenant of later calls; returns that of the earlier ones. Empty: the credential's own.
    std::string choose_tenant(std::string tenant) {
        return std::exchange(settings_.tenant, std::move(tenant));
    }
    net::HttpClient& client() { return client_; }
    // Nothing before the first answer and after a failure without one.
    const std::optional<net::HttpResponse>& last_answer() const { return last_answer_; }

 private:
    Result<api::ClientResponse> send(
        api::Verb method,
        const std::string& target,
        std::string_view content_type,
        const std::string& body
    ) override;

    // Before the first attempt of a call.
    Result<Done> prepare(const api::OperationInfo& operation);
    Problem not_signed_in() const;
    bool is_renewable(const api::OperationInfo& operation) const;
    Result<Done> renew();
    // What the answer's status line and headers add to its problem.
    Problem completed(Problem problem) const;

    SessionSettings settings_;
    net::HttpClient& client_;
    CredentialsFile file_;
    Random& random_;
    std::string idempotency_key_;  // of the attempt: one that was refused with 401 did nothing
    bool is_anonymous_ = false;    // the call takes no credential
    std::optional<net::HttpResponse> last_answer_;
};

template <class Request, class Response>
Result<Response> Session::call(
    const api::Operation<Request, Response>& operation, const Request& request
) {
    const auto info = operation.info();
    SYNAPSEX_CHECK(prepare(info));
    auto response = api::call(*this, operation, request);
    if (!response && is_renewable(info)) {
        SYNAPSEX_CHECK(renew());
        SYNAPSEX_CHECK(prepare(info));
        response = api::call(*this, operation, request);
    }
    if (!response) return completed(std::move(response).error());
    return response;
}

}  // namespace synapsex::cli

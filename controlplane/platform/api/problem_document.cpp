#include "controlplane/platform/api/problem_document.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "controlplane/platform/api/codec_impl.hpp"
#include "controlplane/platform/api/router.hpp"

namespace synapsex::api {

// The platform's own structs.
template struct Codec<None>;
template struct Codec<ProblemDocument>;

namespace {

struct KindStatus {
    Kind kind;
    int status;
    std::string_view title;
};

// The one table from Kind to HTTP.
constexpr std::array kStatuses{
    KindStatus{Kind::invalid, 400, "Bad Request"},
    KindStatus{Kind::unauthenticated, 401, "Unauthorized"},
    KindStatus{Kind::forbidden, 403, "Forbidden"},
    KindStatus{Kind::not_found, 404, "Not Found"},
    KindStatus{Kind::method_not_allowed, 405, "Method Not Allowed"},
    KindStatus{Kind::not_acceptable, 406, "Not Acceptable"},
    KindStatus{Kind::timeout, 408, "Request Timeout"},
    KindStatus{Kind::conflict, 409, "Conflict"},
    KindStatus{Kind::precondition_failed, 412, "Precondition Failed"},
    KindStatus{Kind::too_large, 413, "Content Too Large"},
    KindStatus{Kind::unsupported_media, 415, "Unsupported Media Type"},
    KindStatus{Kind::unprocessable, 422, "Unprocessable Content"},
    KindStatus{Kind::precondition_required, 428, "Precondition Required"},
    KindStatus{Kind::rate_limited, 429, "Too Many Requests"},
    KindStatus{Kind::header_too_large, 431, "Request Header Fields Too Large"},
    KindStatus{Kind::internal, 500, "Internal Server Error"},
    KindStatus{Kind::unavailable, 503, "Service Unavailable"},
    KindStatus{Kind::deadline_exceeded, 504, "Gateway Timeout"},
};

constexpr bool is_in_order_of_kinds() {
    for (std::size_t i = 0; i < kStatuses.size(); ++i)
        if (static_cast<std::size_t>(kStatuses[i].kind) != i) return false;
    return true;
}
static_assert(is_in_order_of_kinds(), "kStatuses is looked up by the number of the kind");

const KindStatus& row_of(Kind kind) {
    return kStatuses.at(static_cast<std::size_t>(kind));
}

bool has_header(const Reply& reply, std::string_view name) {
    return std::any_of(reply.headers.begin(), reply.headers.end(), [&](const auto& header) {
        return std::equal(
            header.first.begin(),
            header.first.end(),
            name.begin(),
            name.end(),
            [](char a, char b) { return std::tolower(a) == std::tolower(b); }
        );
    });
}

}  // namespace

int http_status(Kind kind) {
    return row_of(kind).status;
}
std::string_view http_title(Kind kind) {
    return row_of(kind).title;
}

Kind kind_of_status(int status) {
    for (const auto& row : kStatuses)
        if (row.status == status) return row.kind;
    return status >= 400 && status < 500 ? Kind::invalid : Kind::internal;
}

Reply problem_reply(const Problem& problem, std::string_view request_id) {
    const auto& row = row_of(problem.kind);
    ProblemDocument document{
        .type = "https://docs.synapsex.ai/problems/" + problem.code,
        .title = std::string{row.title},
        .status = row.status,
        .detail = problem.detail,
        .code = problem.code,
        .request_id = std::string{request_id},
        .errors = {},
    };
    const auto listed = std::min(problem.errors.size(), decltype(document.errors)::kMax);
    for (const auto& error : std::span{problem.errors}.first(listed))
        document.errors.push_back({error.pointer, error.code, error.detail});
    Reply reply{.status = row.status, .content_type = "application/problem+json"};
    Codec<ProblemDocument>::write_json(document, reply.body);
    reply.headers = problem.headers;
    if (problem.retry_after)
        reply.headers.emplace_back("Retry-After", std::to_string(problem.retry_after->count()));
    if (problem.kind == Kind::unauthenticated && !has_header(reply, "WWW-Authenticate"))
        reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
}

Problem parse_problem(int status, std::string_view body) {
    Problem problem{.kind = kind_of_status(status), .code = {}, .detail = {}};
    auto document = Codec<ProblemDocument>::read_json(body, Unknown::ignore);
    if (!document) {
        problem.code = "http." + std::to_string(status);
        problem.detail = "The server answered " + std::to_string(status) +
                         " without a problem document; a proxy may stand between.";
        return problem;
    }
    problem.code = std::move(document->code);
    problem.detail = std::move(document->detail);
    if (!document->request_id.empty())
        problem.headers.emplace_back("X-Request-Id", std::move(document->request_id));
    for (auto& error : document->errors)
        problem.errors.push_back(
            {std::move(error.pointer), std::move(error.code), std::move(error.detail)}
        );
    return problem;
}

}  // namespace synapsex::api

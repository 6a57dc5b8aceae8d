#pragma once

// Operations and their handlers. Services mount; the gateway looks up. Mounting happens before
// serving and from one thread, look-ups from any.

#include <map>

#include "controlplane/platform/api/answers.hpp"
#include "controlplane/platform/api/codec.hpp"
#include "controlplane/platform/api/lines.hpp"
#include "controlplane/platform/api/page.hpp"
#include "controlplane/platform/api/reply.hpp"
#include "controlplane/platform/auth/call.hpp"

namespace synapsex::api {

// The same before encoding: what a long-poll handler returns.
template <class Response>
struct Held {
    std::unique_ptr<Ticket> ticket;
    std::chrono::milliseconds hold{};
    std::function<Result<Response>(Wake)> finish;
};
template <class Response>
using HeldOr = std::variant<Response, Held<Response>>;

// A value with headers of its own (Link, Location): what a handler returns when a body is not all.
template <class Response>
struct WithHeaders {
    Response value;
    std::vector<std::pair<std::string, std::string>> headers;
};

struct Route {
    OperationInfo operation;
    std::function<Outcome(const Call&, const RequestParts&)> handle;
    // JSON of the operation for the OpenAPI document; empty for mount_raw.
    std::function<std::string(SchemaComponents&)> describe;
    std::string_view answer_type = "application/json";  // beside protobuf
};

// What a method and path lead to.
struct Match {
    const Route* route = nullptr;  // nullptr: no operation
    Parameters path_parameters{};
    std::vector<Verb> allowed{};  // for 405: the path exists under these methods
};

class Router {
 public:
    Router();
    ~Router();

    // Throws std::logic_error for an id or a method and path that is taken, and for a path
    // parameter that is no member of the request. Literal segments win over parameters.
    // handler: Result<Response>(const Call&, const Request&)
    //       or Result<WithHeaders<Response>>(…), or Result<HeldOr<Response>>(…) for a long poll.
    template <class Request, class Response, class Handler>
    void mount(const Operation<Request, Response>& operation, Handler handler);

    // Where operations mounted from now on keep the answers to requests with an Idempotency-Key;
    // outlives the router. Without one the key means nothing.
    void keep_answers_in(Answers* answers) { answers_ = answers; }

    // For what is no JSON operation: documents, viewers, metrics. Not in OpenAPI.
    void mount_raw(
        const OperationInfo& operation,
        std::function<Outcome(const Call&, const RequestParts&)> handle
    );

    // `path` is still percent-encoded; segments are decoded once, after splitting, and "%2F" does
    // not split. "//", dot segments and broken escapes are not normalised but not found. HEAD is
    // served by GET's route.
    Match find(std::string_view method, std::string_view path) const;
    const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
    void add(std::unique_ptr<Route> route);

    struct Node;
    std::vector<std::unique_ptr<Route>> routes_;
    std::unique_ptr<Node> root_;
    Answers* answers_ = nullptr;
};

// RFC 9457 application/problem+json, with the status and headers that the kind asks for. The one
// table from Kind to HTTP is in problem_document.cpp.
Reply problem_reply(const Problem& problem, std::string_view request_id);
int http_status(Kind kind);

// "GET", "DELETE".
std::string_view verb_name(Verb verb);

// --- implementation of mount -----------------------------------------------------------------

// Whether an answer may be one page of several, and whether that is one of lines.
enum class Paging { none, pages, lines };

// The JSON object of one operation for the OpenAPI document; `response_schema` is empty where there
// is no body.
std::string describe_operation(
    const OperationInfo& operation,
    const RequestDescription& request,
    std::string_view response_schema,
    Paging paging
);

template <class Request>
inline constexpr bool kHasPages = requires(Request wish) { wish.cursor = Cursor{}; };

// Link (RFC 8288) to the page that starts at `cursor`, of the list that `wish` is for.
template <class Request>
std::string next_link(const OperationInfo& operation, Request wish, std::string_view cursor) {
    wish.cursor = Cursor{std::string{cursor}};
    return "<" + Codec<Request>::write_request(operation, wish).target + ">; rel=\"next\"";
}

// Whether the answer to these parts goes out as protobuf.
bool answers_protobuf(const OperationInfo& operation, const RequestParts& parts);

template <class Response>
Reply encode_reply(const OperationInfo& operation, bool as_protobuf, const Response& response) {
    Reply reply{.status = operation.success};
    if constexpr (std::is_same_v<Response, None>) {
        reply.status = operation.success == 200 ? 204 : operation.success;
        reply.content_type.clear();
    } else if constexpr (IsLines<Response>::value) {
        reply.content_type = kLinesType;
        for (const auto& item : response.items) {
            Codec<typename IsLines<Response>::Item>::write_json(item, reply.body);
            reply.body += '\n';
        }
    } else if constexpr (WritesProtobuf<Response>) {
        if (as_protobuf) {
            reply.content_type = "application/x-protobuf";
            ProtobufCodec<Response>::encode(response, reply.body);
        } else {
            Codec<Response>::write_json(response, reply.body);
        }
    } else {
        Codec<Response>::write_json(response, reply.body);
    }
    return reply;
}

template <class Request>
Result<Request> decode_request(const OperationInfo& operation, const RequestParts& parts) {
    if constexpr (ReadsProtobuf<Request>) {
        if (answers_protobuf(operation, parts)) {
            // Path members by the ordinary walker, the rest from the message.
            SYNAPSEX_TRY(Request request, Codec<Request>::read_path(operation, parts));
            SYNAPSEX_CHECK(ProtobufCodec<Request>::decode(parts.body, request));
            SYNAPSEX_CHECK(Codec<Request>::check(request));
            return request;
        }
    }
    return Codec<Request>::read_request(operation, parts);
}

namespace detail {

template <class Response>
Outcome make_outcome(
    const OperationInfo& operation, bool, const std::string&, WithHeaders<Response>&& answer
) {
    auto reply = encode_reply(operation, false, answer.value);
    reply.headers = std::move(answer.headers);
    return reply;
}

template <class Response>
Outcome make_outcome(
    const OperationInfo& operation, bool as_protobuf, const std::string&, Response&& answer
) {
    return encode_reply(operation, as_protobuf, answer);
}

template <class Response>
Outcome make_outcome(
    const OperationInfo& operation,
    bool as_protobuf,
    const std::string& request_id,
    HeldOr<Response>&& answer
) {
    if (auto* response = std::get_if<Response>(&answer))
        return encode_reply(operation, as_protobuf, *response);
    auto& held = std::get<Held<Response>>(answer);
    auto finish = [operation, as_protobuf, request_id, inner = std::move(held.finish)](Wake wake) {
        const Result<Response> result = inner(wake);
        return result ? encode_reply(operation, as_protobuf, *result)
                      : problem_reply(result.error(), request_id);
    };
    return HeldReply{std::move(held.ticket), held.hold, std::move(finish)};
}

template <class Response>
Reply encode_stored(const OperationInfo& operation, const Response& response) {
    return encode_reply(operation, false, response);
}
template <class Response>
Reply encode_stored(const OperationInfo& operation, const WithHeaders<Response>& answer) {
    auto reply = encode_reply(operation, false, answer.value);
    reply.headers = answer.headers;
    return reply;
}

// For a handler whose write returns the very value that the handler returns.
template <class Answer>
AnswerEncoder encoder_of() {
    return {typeid(Answer), [](const OperationInfo& operation, const void* value) {
                return encode_stored(operation, *static_cast<const Answer*>(value));
            }};
}

// To the next page, if the answer says where that starts.
template <class Request, class Answer>
std::string link_of(const OperationInfo& operation, const Request& request, const Answer& answer) {
    if constexpr (kHasPages<Request> && requires { *answer.next_cursor; })
        if (answer.next_cursor) return next_link(operation, request, *answer.next_cursor);
    return {};
}

// Of an answer of lines: what each of them is.
template <class Response>
std::string add_answer_schema(SchemaComponents& components) {
    if constexpr (IsLines<Response>::value)
        return Codec<typename IsLines<Response>::Item>::add_schema(components);
    else
        return Codec<Response>::add_schema(components);
}
template <class Request, class Response>
constexpr Paging paging_of() {
    if (!kHasPages<Request>) return Paging::none;
    return IsLines<Response>::value ? Paging::lines : Paging::pages;
}

template <class T>
struct IsHeldOr : std::false_type {};
template <class Response>
struct IsHeldOr<HeldOr<Response>> : std::true_type {};

}  // namespace detail

template <class Request, class Response, class Handler>
void Router::mount(const Operation<Request, Response>& operation, Handler handler) {
    Codec<Request>::check_operation(operation.info());
    auto route = std::make_unique<Route>();
    route->operation = operation.info();
    route->handle = [info = operation.info(), handler = std::move(handler), answers = answers_](
                        const Call& call, const RequestParts& parts
                    ) -> Outcome {
        Result<Request> request = decode_request<Request>(info, parts);
        if (!request) return problem_reply(request.error(), call.request_id);
        using Answer = typename decltype(handler(call, *request))::value_type;
        const auto run = [&](const Call& inner) -> Outcome {
            auto answer = handler(inner, *request);
            if (!answer) return problem_reply(answer.error(), inner.request_id);
            const auto link = detail::link_of(info, *request, *answer);
            auto outcome = detail::make_outcome(
                info, answers_protobuf(info, parts), inner.request_id, *std::move(answer)
            );
            if (!link.empty()) std::get<Reply>(outcome).headers.emplace_back("Link", link);
            return outcome;
        };
        if constexpr (!detail::IsHeldOr<Answer>::value)
            if (answers && parts.idempotency_key)
                return answers->once(call, info, parts, detail::encoder_of<Answer>(), run);
        return run(call);
    };
    if constexpr (IsLines<Response>::value) route->answer_type = kLinesType;
    route->describe = [info = operation.info()](SchemaComponents& components) {
        const auto request = Codec<Request>::describe_request(info, components);
        const auto schema = detail::add_answer_schema<Response>(components);
        return describe_operation(info, request, schema, detail::paging_of<Request, Response>());
    };
    add(std::move(route));
}

}  // namespace synapsex::api

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/api/openapi_problems.hpp"
#include "controlplane/platform/api/request_codec.hpp"
#include "controlplane/platform/api/router.hpp"
#include "shared/base/describe.hpp"

namespace synapsex::api {

namespace {

std::string scope_sentence(const auth::Access& access) {
    for (const auto& grant : auth::kScopes)
        if (grant.scope == access.scope)
            return "Needs the scope `" + std::string{access.scope} + "`, which the role " +
                   std::string{enum_name(grant.lowest_role)} + " has.";
    return "Needs the scope `" + std::string{access.scope} + "`.";
}

// Who may call, as a sentence: what an agreement is about stands in the text, not in a footnote.
std::string access_sentence(const auth::Access& access) {
    switch (access.kind) {
        case auth::AccessKind::anyone:
            return "Needs no credential.";
        case auth::AccessKind::proof:
            return "Needs no credential but the one in the body.";
        case auth::AccessKind::signed_in:
            return access.is_closed_to_keys ? "Needs any user's token; no API key may."
                                            : "Needs any user's token or API key.";
        case auth::AccessKind::agent:
            return "For the agent on a VM, with its access token.";
        case auth::AccessKind::user:
            break;
    }
    return scope_sentence(access) + (access.is_closed_to_keys ? " No API key may." : "");
}

std::string deprecation_sentence(const Deprecation& deprecation) {
    std::string text = "\n\nDeprecated since " + std::string{deprecation.since};
    if (!deprecation.sunset.empty())
        text += "; it ends at " + std::string{deprecation.sunset};
    if (!deprecation.successor.empty())
        text += "; use `" + std::string{deprecation.successor} + "` instead";
    return text + ".";
}

std::string description_of(const OperationInfo& operation) {
    const auto& text = operation.description.empty() ? operation.summary : operation.description;
    auto description = std::string{text} + "\n\n" + access_sentence(operation.access);
    if (!operation.deprecation.since.empty())
        description += deprecation_sentence(operation.deprecation);
    return description;
}

std::string security_of(const auth::Access& access) {
    switch (access.kind) {
        case auth::AccessKind::anyone:
        case auth::AccessKind::proof:
            return "[]";
        case auth::AccessKind::agent:
            return R"([{"agentToken":[]}])";
        default:
            return access.is_closed_to_keys ? R"([{"userToken":[]}])"
                                            : R"([{"bearer":[]},{"apiKey":[]}])";
    }
}

bool is_for_users(const auth::Access& access) {
    return access.kind == auth::AccessKind::user || access.kind == auth::AccessKind::signed_in;
}

// X-Tenant-Id stands with every operation of a person or key, Idempotency-Key where it does
// something.
std::string parameters_of(const OperationInfo& operation, std::string_view parameters) {
    std::string out{parameters};
    out.pop_back();
    const auto add = [&](std::string_view name) {
        if (out.size() > 1) out += ',';
        out += R"({"$ref":"#/components/parameters/)" + std::string{name} + "\"}";
    };
    if (is_for_users(operation.access)) add("TenantHeader");
    if (stores_answers(operation)) add("IdempotencyKey");
    return out + "]";
}

std::string body_of(const OperationInfo& operation, const RequestDescription& request) {
    const auto media = JsonObjectText{}.add("schema", request.body_schema).finish();
    JsonObjectText content;
    if (operation.body == BodyKind::protobuf) content.add("application/json", media);
    if (operation.body == BodyKind::protobuf)
        content.add(media_type_of(operation), "{}");
    else
        content.add(media_type_of(operation), media);
    if (operation.method == Verb::patch && operation.body == BodyKind::json)
        content.add("application/merge-patch+json", media);
    return JsonObjectText{}
        .add("required", request.is_body_required ? "true" : "false")
        .add("content", content.finish())
        .finish();
}

std::string headers_of(const OperationInfo& operation, Paging paging) {
    JsonObjectText headers;
    const auto add = [&](std::string_view name, const std::string& component) {
        const auto reference = "#/components/headers/" + component;
        headers.add(name, JsonObjectText{}.add_text("$ref", reference).finish());
    };
    if (stores_answers(operation)) add("Idempotent-Replayed", "IdempotentReplayed");
    if (paging != Paging::none) add("Link", "NextPage");
    return headers.finish();
}

std::string success_of(const OperationInfo& operation, std::string_view schema, Paging paging) {
    JsonObjectText response;
    const bool is_lines = paging == Paging::lines;
    const auto text = is_lines ? "The answer, such a JSON object in each line." : "The answer.";
    response.add_text("description", schema.empty() ? "Done." : text);
    const auto headers = headers_of(operation, paging);
    if (headers != "{}") response.add("headers", headers);
    if (schema.empty()) return response.finish();
    JsonObjectText content;
    const auto media = JsonObjectText{}.add("schema", schema).finish();
    content.add(is_lines ? kLinesType : "application/json", media);
    if (operation.body == BodyKind::protobuf) content.add("application/x-protobuf", "{}");
    return response.add("content", content.finish()).finish();
}

std::string responses_of(
    const OperationInfo& operation,
    const RequestDescription& request,
    std::string_view schema,
    Paging paging
) {
    JsonObjectText responses;
    const bool is_empty = schema.empty() && operation.success == 200;
    responses.add(
        std::to_string(is_empty ? 204 : operation.success), success_of(operation, schema, paging)
    );
    const auto add = [&](const ProblemResponse& problem) {
        const auto key = problem.status == 0 ? "default" : std::to_string(problem.status);
        const auto reference = "#/components/responses/" + std::string{problem.name};
        responses.add(key, JsonObjectText{}.add_text("$ref", reference).finish());
    };
    add(kBadRequest);
    if (operation.access.kind != auth::AccessKind::anyone) add(kUnauthorized);
    const bool may_be_forbidden = operation.access.kind == auth::AccessKind::user ||
                                  operation.access.kind == auth::AccessKind::agent ||
                                  operation.access.is_closed_to_keys;
    if (may_be_forbidden) add(kForbidden);
    if (operation.path.find('{') != std::string_view::npos) add(kNotFound);
    if (operation.method != Verb::get) add(kConflict);
    if (!request.body_schema.empty() && operation.body != BodyKind::bytes) add(kUnsupportedMedia);
    if (stores_answers(operation)) add(kKeyReused);
    add(kDefaultProblem);
    return responses.finish();
}

}  // namespace

std::string describe_operation(
    const OperationInfo& operation,
    const RequestDescription& request,
    std::string_view response_schema,
    Paging paging
) {
    JsonObjectText out;
    out.add_text("operationId", operation.id);
    out.add("tags", "[" + quoted(tag_of(operation.id)) + "]");
    out.add_text("summary", operation.summary);
    out.add_text("description", description_of(operation));
    if (!operation.deprecation.since.empty()) out.add("deprecated", "true");
    out.add("security", security_of(operation.access));
    if (!operation.access.scope.empty()) out.add_text("x-synapsex-scope", operation.access.scope);
    const auto parameters = parameters_of(operation, request.parameters);
    if (parameters != "[]") out.add("parameters", parameters);
    if (!request.body_schema.empty()) out.add("requestBody", body_of(operation, request));
    out.add("responses", responses_of(operation, request, response_schema, paging));
    return out.finish();
}

}  // namespace synapsex::api

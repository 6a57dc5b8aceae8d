#include "controlplane/services/api_gateway/refusals.hpp"

#include "controlplane/platform/api/router.hpp"

namespace synapsex::api_gateway {

std::string methods_of(const std::vector<api::Verb>& verbs) {
    std::string list;
    for (const auto verb : verbs) {
        list += std::string{api::verb_name(verb)} + ", ";
        if (verb == api::Verb::get) list += "HEAD, ";
    }
    return list + "OPTIONS";
}

Problem no_such_path(const http::RequestHead& head, const std::vector<api::Verb>& allowed) {
    if (allowed.empty())
        return {
            Kind::not_found, "request.path_not_found", "There is nothing at " + head.path + "."};
    const auto list = methods_of(allowed);
    Problem problem{
        Kind::method_not_allowed, "request.method_not_allowed",
        head.method + " is not allowed here; " + list + " is."
    };
    problem.headers.emplace_back("Allow", list);
    return problem;
}

Problem not_acceptable(const api::OperationInfo& operation) {
    const bool has_protobuf = operation.body == api::BodyKind::protobuf;
    return {
        Kind::not_acceptable, "request.not_acceptable",
        std::string{"This is answered with application/json"} +
            (has_protobuf ? " or application/x-protobuf" : "") + ", which Accept does not take."
    };
}

Problem internal_error() {
    return {
        Kind::internal, "internal.error",
        "Something failed on our side; the log has it under the request id."
    };
}

Problem overloaded() {
    return {
        .kind = Kind::unavailable,
        .code = "gateway.overloaded",
        .detail = "Too many requests wait already.",
        .retry_after = std::chrono::seconds{1},
    };
}

Problem waited_too_long() {
    return {
        .kind = Kind::deadline_exceeded,
        .code = "gateway.deadline_exceeded",
        .detail = "The request waited too long for its turn. Nothing was done.",
        .retry_after = std::chrono::seconds{1},
    };
}

}  // namespace synapsex::api_gateway

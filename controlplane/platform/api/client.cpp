#include "controlplane/platform/api/client.hpp"

#include "controlplane/platform/api/request_codec.hpp"

namespace synapsex::api {

std::string_view content_type_of(const OperationInfo& operation, const ClientRequest& request) {
    if (request.body.empty() && operation.body != BodyKind::bytes) return {};
    // We speak JSON where an operation also takes protobuf.
    return operation.body == BodyKind::protobuf ? "application/json" : media_type_of(operation);
}

Problem bad_answer(const OperationInfo& operation, const Problem& why) {
    return {
        .kind = Kind::internal,
        .code = "client.bad_answer",
        .detail =
            "The answer to " + std::string{operation.id} + " is not as expected: " + why.detail};
}

}  // namespace synapsex::api

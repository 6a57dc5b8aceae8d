#pragma once

// Calls of operations from the other side: the CLI, the tests and a service that runs elsewhere use
// the same constants and structs as the server.

#include <algorithm>
#include <string>
#include <string_view>

#include "controlplane/platform/api/codec.hpp"
#include "controlplane/platform/api/lines.hpp"
#include "controlplane/platform/api/problem_document.hpp"
#include "shared/base/result.hpp"

namespace synapsex::api {

struct ClientResponse {
    int status = 0;
    std::string body;
};

// Gets a request to a control plane and back: HTTP with a credential, or a router in process.
class Transport {
 public:
    virtual ~Transport() = default;
    // `target` is path and query; `content_type` is empty where there is no body. A failure is for
    // what never became an answer: Kind::unavailable "client.unreachable", Kind::deadline_exceeded.
    virtual Result<ClientResponse> send(
        Verb method,
        const std::string& target,
        std::string_view content_type,
        const std::string& body
    ) = 0;
};

// The media type of a request with this body.
std::string_view content_type_of(const OperationInfo& operation, const ClientRequest& request);
// Kind::internal "client.bad_answer": the server is no SynapseX, or of another version.
Problem bad_answer(const OperationInfo& operation, const Problem& why);

// The answer, or the Problem that the server gave, with its code, detail and errors.
template <class Request, class Response>
Result<Response> call(
    Transport& transport, const Operation<Request, Response>& operation, const Request& request
) {
    const auto info = operation.info();
    const auto wire = Codec<Request>::write_request(info, request);
    SYNAPSEX_TRY(
        const ClientResponse answer,
        transport.send(info.method, wire.target, content_type_of(info, wire), wire.body)
    );
    if (answer.status >= 400) return parse_problem(answer.status, answer.body);
    if constexpr (std::is_same_v<Response, None>) {
        return None{};
    } else if constexpr (IsLines<Response>::value) {
        // The next page is in a header, which whoever has the transport reads.
        Response response;
        for (std::string_view rest = answer.body; !rest.empty();) {
            const auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
            using Item = typename IsLines<Response>::Item;
            auto item = Codec<Item>::read_json(line, Unknown::ignore);
            if (!item) return bad_answer(info, item.error());
            response.items.push_back(*std::move(item));
        }
        return response;
    } else {
        auto response = Codec<Response>::read_json(answer.body, Unknown::ignore);
        if (!response) return bad_answer(info, response.error());
        return response;
    }
}

}  // namespace synapsex::api

#pragma once

// Between the wire and a described struct. Only declared here: the bodies stand in codec_impl.hpp,
// which a service's api.cpp alone includes to instantiate `template struct Codec<T>;` once (about
// 1 s of compile time each). Everybody else links.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controlplane/platform/api/operation.hpp"
#include "shared/base/result.hpp"

namespace synapsex::api {

class SchemaComponents;  // openapi.hpp: the named schemas of the document

using Parameters = std::vector<std::pair<std::string, std::string>>;  // decoded name and value

// A request as far as HTTP is concerned: decoded path and query parameters, the raw body and its
// media type without parameters, lower case.
struct RequestParts {
    Parameters path;
    Parameters query;
    std::string media_type;
    std::string body;
    // For an operation whose replay is `stored` (answers.hpp).
    std::optional<std::string> idempotency_key{};
};

// A request to be sent: the CLI and the tests make it from an operation and a struct.
struct ClientRequest {
    std::string target;  // path with its parameters encoded, and the query
    std::string body;
};

// A request as the OpenAPI document shows it; JSON texts.
struct RequestDescription {
    std::string parameters = "[]";
    std::string body_schema{};  // empty: no body
    bool is_body_required = false;
};

template <class T>
struct Codec {
    // All members, from wherever the operation says they come. A failure is Kind::invalid
    // "request.invalid" with one FieldProblem for each thing wrong, not only the first;
    // "request.malformed" for what is no JSON or form at all; Kind::unsupported_media
    // "request.unsupported_media_type".
    static Result<T> read_request(const OperationInfo& operation, const RequestParts& parts);
    // Only the members that the path names; the rest keep their defaults.
    static Result<T> read_path(const OperationInfo& operation, const RequestParts& parts);
    // The whole text as one JSON document.
    static Result<T> read_json(std::string_view text, Unknown unknown);
    // For an object that came another way than through a reader here (protobuf): whether it is one
    // that a reader could have made. Kind::invalid "request.invalid" with all FieldProblems, as
    // from read_json.
    static Result<Done> check(const T& object);
    // Appends. Absent optional members are written as null.
    static void write_json(const T& object, std::string& out);
    static ClientRequest write_request(const OperationInfo& operation, const T& object);
    // Throws std::logic_error if T cannot be the operation's request: a path parameter that is no
    // member, a struct in a query.
    static void check_operation(const OperationInfo& operation);
    // Adds T and what it refers to; returns the JSON text of a schema or of a $ref to it. Empty for
    // a struct without members.
    static std::string add_schema(SchemaComponents& components);
    static RequestDescription describe_request(
        const OperationInfo& operation, SchemaComponents& components
    );
};

// A message that also travels as protobuf specialises this beside its struct, with
//   static Result<Done> decode(std::string_view bytes, T& object);   // path members stay
//   static void encode(const T& object, std::string& out);
// and defines them in the one file that includes the generated code. A message that goes one way
// only needs only that one.
template <class T>
struct ProtobufCodec {};

template <class T>
concept ReadsProtobuf = requires(std::string_view bytes, T& object) {
    ProtobufCodec<T>::decode(bytes, object);
};
template <class T>
concept WritesProtobuf = requires(const T& object, std::string& out) {
    ProtobufCodec<T>::encode(object, out);
};

}  // namespace synapsex::api

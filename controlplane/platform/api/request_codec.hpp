#pragma once

// A whole request between HTTP and a described struct: which member comes from where, and what else
// must not be there. Codec<T> is a thin typed shell around this.

#include <cstdint>
#include <string>

#include "controlplane/platform/api/codec.hpp"
#include "controlplane/platform/api/shape.hpp"

namespace synapsex::api {

// Where an operation takes its members from; bit i is member i of the request.
struct MemberSources {
    std::uint64_t path = 0;
    std::uint64_t query = 0;
    std::uint64_t body = 0;

    static constexpr std::uint64_t bit(std::size_t index) { return std::uint64_t{1} << index; }
    static constexpr bool has(std::uint64_t mask, std::size_t index) {
        return (mask & bit(index)) != 0;
    }
};
MemberSources member_sources(const OperationInfo& operation, const ObjectShape& request);

// Throws std::logic_error if the operation cannot work: a path parameter that is no member, an
// object in a query, more than 64 members, `bytes` without a string member `body`.
void check_request(const OperationInfo& operation, const Shape& request);

Result<Done> read_request(
    const OperationInfo& operation, const RequestParts& parts, const Shape& request, void* target
);
Result<Done> read_path(
    const OperationInfo& operation, const RequestParts& parts, const Shape& request, void* target
);
Result<Done> read_json(std::string_view text, Unknown unknown, const Shape& shape, void* target);
ClientRequest write_request(
    const OperationInfo& operation, const Shape& request, const void* object
);

// The struct's shape. Throws std::logic_error for anything but a struct.
const ObjectShape& as_object(const Shape& shape);

bool may_have_body(const OperationInfo& operation);
// BodyKind::bytes hands the body to the member of this name.
inline constexpr std::string_view kBytesMember = "body";

inline constexpr std::string_view kJsonMedia = "application/json";
inline constexpr std::string_view kMergePatchMedia = "application/merge-patch+json";
inline constexpr std::string_view kFormMedia = "application/x-www-form-urlencoded";
inline constexpr std::string_view kProtobufMedia = "application/x-protobuf";
inline constexpr std::string_view kBytesMedia = "application/octet-stream";
// The media type that a body of the operation is sent as; empty for GET and DELETE.
std::string_view media_type_of(const OperationInfo& operation);

// "/v1/vms/{vmId}" holds "vmId": calls visit(name) for each, in order.
template <class Visit>
void for_each_path_parameter(std::string_view path, Visit&& visit) {
    for (auto open = path.find('{'); open != std::string_view::npos; open = path.find('{', open)) {
        const auto close = path.find('}', open);
        if (close == std::string_view::npos) return;
        visit(path.substr(open + 1, close - open - 1));
        open = close;
    }
}

}  // namespace synapsex::api

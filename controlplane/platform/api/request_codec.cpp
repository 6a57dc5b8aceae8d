#include "controlplane/platform/api/request_codec.hpp"

#include <stdexcept>

namespace synapsex::api {

namespace {

bool is_scalar(const Shape& shape) {
    return shape.kind != ShapeKind::list && shape.kind != ShapeKind::map &&
           shape.kind != ShapeKind::object && shape.kind != ShapeKind::json;
}

bool fits_parameter(const Shape& shape) {
    const auto& inner = bare(shape);
    if (inner.kind != ShapeKind::list) return is_scalar(inner);
    return is_scalar(*static_cast<const ListShape&>(inner).inner);
}

}  // namespace

const ObjectShape& as_object(const Shape& shape) {
    if (shape.kind != ShapeKind::object) throw std::logic_error("a request is a described struct");
    return static_cast<const ObjectShape&>(shape);
}

bool may_have_body(const OperationInfo& operation) {
    return operation.method != Verb::get && operation.method != Verb::delete_;
}

MemberSources member_sources(const OperationInfo& operation, const ObjectShape& request) {
    MemberSources sources;
    for_each_path_parameter(operation.path, [&](std::string_view name) {
        for (std::size_t i = 0; i < request.members.size(); ++i)
            if (request.members[i].is_called(name)) sources.path |= MemberSources::bit(i);
    });
    for (std::size_t i = 0; i < request.members.size(); ++i) {
        if (MemberSources::has(sources.path, i)) continue;
        const bool is_bytes = operation.body == BodyKind::bytes;
        const bool is_in_body =
            may_have_body(operation) && (!is_bytes || request.members[i].cpp_name == kBytesMember);
        (is_in_body ? sources.body : sources.query) |= MemberSources::bit(i);
    }
    return sources;
}

void check_request(const OperationInfo& operation, const Shape& shape) {
    const auto fail = [&](std::string_view what, std::string_view name) {
        throw std::logic_error(
            std::string{operation.id} + ": " + std::string{what} + " " + std::string{name}
        );
    };
    const auto& request = as_object(shape);
    if (request.members.size() > 64) fail("has more than 64 members:", operation.path);
    for_each_path_parameter(operation.path, [&](std::string_view name) {
        for (const auto& member : request.members)
            if (member.is_called(name)) return;
        fail("no member of the request is called", name);
    });
    const auto sources = member_sources(operation, request);
    bool has_body_member = false;
    for (std::size_t i = 0; i < request.members.size(); ++i) {
        const auto& member = request.members[i];
        const bool is_form =
            operation.body == BodyKind::form && MemberSources::has(sources.body, i);
        if (MemberSources::has(sources.path, i) && !is_scalar(bare(*member.shape)))
            fail("a path cannot hold", member.cpp_name);
        if ((MemberSources::has(sources.query, i) || is_form) && !fits_parameter(*member.shape))
            fail("a query or form cannot hold", member.cpp_name);
        has_body_member = has_body_member || (member.cpp_name == kBytesMember &&
                                              member.shape->kind == ShapeKind::text);
    }
    if (operation.body == BodyKind::bytes && may_have_body(operation) && !has_body_member)
        fail("a body of bytes needs the member", "std::string body");
}

std::string_view media_type_of(const OperationInfo& operation) {
    if (!may_have_body(operation)) return {};
    switch (operation.body) {
        case BodyKind::form:
            return kFormMedia;
        case BodyKind::protobuf:
            return kProtobufMedia;
        case BodyKind::bytes:
            return kBytesMedia;
        case BodyKind::json:
            break;
    }
    return kJsonMedia;
}

}  // namespace synapsex::api

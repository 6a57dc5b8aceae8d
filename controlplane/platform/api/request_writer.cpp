#include "controlplane/platform/api/json_writer.hpp"
#include "controlplane/platform/api/parameters.hpp"
#include "controlplane/platform/api/request_codec.hpp"

namespace synapsex::api {

namespace {

// nullptr: absent.
std::pair<const Shape*, const void*> unwrap(const Shape& shape, const void* value) {
    if (value == nullptr) return {&shape, nullptr};
    switch (shape.kind) {
        case ShapeKind::optional: {
            const auto& optional = static_cast<const OptionalShape&>(shape);
            return unwrap(*optional.inner, optional.get(value));
        }
        case ShapeKind::change: {
            const auto& change = static_cast<const ChangeShape&>(shape);
            return unwrap(*change.inner, change.get(value));
        }
        case ShapeKind::defaulted:
            return unwrap(*static_cast<const DefaultedShape&>(shape).inner, value);
        default:
            return {&shape, value};
    }
}

std::string encoded_text(const Shape& shape, const void* value) {
    switch (shape.kind) {
        case ShapeKind::text:
            return percent_encode(*static_cast<const std::string*>(value));
        case ShapeKind::id:
            return percent_encode(static_cast<const IdShape&>(shape).load(value));
        case ShapeKind::enumeration:
            return percent_encode(static_cast<const EnumerationShape&>(shape).load(value));
        default:
            break;
    }
    std::string text;
    append_value(text, shape, value, Absent::left_out);
    if (text.starts_with('"')) text = text.substr(1, text.size() - 2);  // an instant
    return percent_encode(text);
}

void append_parameter(std::string& out, std::string_view name, std::string_view encoded) {
    if (!out.empty()) out += '&';
    out += percent_encode(name);
    out += '=';
    out += encoded;
}

std::string write_parameters(const ObjectShape& request, const void* object, std::uint64_t mask) {
    std::string out;
    for (std::size_t i = 0; i < request.members.size(); ++i) {
        if (!MemberSources::has(mask, i)) continue;
        const auto& member = request.members[i];
        const auto [shape, value] = unwrap(*member.shape, member.in(object));
        if (value == nullptr) continue;
        if (shape->kind != ShapeKind::list) {
            append_parameter(out, member.wire_name, encoded_text(*shape, value));
            continue;
        }
        const auto& list = static_cast<const ListShape&>(*shape);
        for (std::size_t item = 0; item < list.size(value); ++item)
            append_parameter(
                out, member.wire_name, encoded_text(*list.inner, list.at(value, item))
            );
    }
    return out;
}

std::string write_path(
    const OperationInfo& operation, const ObjectShape& request, const void* object
) {
    std::string target{operation.path};
    for_each_path_parameter(operation.path, [&](std::string_view name) {
        for (const auto& member : request.members) {
            if (!member.is_called(name)) continue;
            const auto [shape, value] = unwrap(*member.shape, member.in(object));
            const auto hole = "{" + std::string{name} + "}";
            target.replace(
                target.find(hole), hole.size(), value ? encoded_text(*shape, value) : ""
            );
            return;
        }
    });
    return target;
}

}  // namespace

ClientRequest write_request(
    const OperationInfo& operation, const Shape& shape, const void* object
) {
    const auto& request = as_object(shape);
    const auto sources = member_sources(operation, request);
    ClientRequest out{.target = write_path(operation, request, object), .body = {}};
    if (const auto query = write_parameters(request, object, sources.query); !query.empty())
        out.target += "?" + query;
    if (sources.body == 0) return out;
    if (operation.body == BodyKind::form) {
        out.body = write_parameters(request, object, sources.body);
    } else if (operation.body == BodyKind::bytes) {
        for (const auto& member : request.members)
            if (member.cpp_name == kBytesMember)
                out.body = *static_cast<const std::string*>(member.in(object));
    } else {
        append_object(out.body, request, object, Absent::left_out, ~sources.body);
    }
    return out;
}

}  // namespace synapsex::api

#include "controlplane/platform/api/schema.hpp"

#include <boost/core/demangle.hpp>
#include <stdexcept>

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/api/request_codec.hpp"

namespace synapsex::api {

namespace {

constexpr std::string_view kCrockford = "[0-7][0-9a-hjkmnp-tv-z]{25}";
// is_name of shared/base/utf8.hpp.
constexpr std::string_view kNamePattern =
    R"(^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*)"
    R"([^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])"
    R"([^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$)";

// Adds `,"key":value` to the JSON text of an object.
void extend(std::string& object, std::string_view key, std::string_view json) {
    object.pop_back();
    if (object.size() > 1) object += ',';
    object += quoted(key);
    object += ':';
    object += json;
    object += '}';
}

std::string number(std::size_t value) {
    return std::to_string(value);
}

std::string schema_of_integer(const IntegerShape& shape) {
    std::string out = R"({"type":"integer"})";
    const bool is_int64 = shape.min == widen(INT64_MIN) && shape.max == widen(INT64_MAX);
    if (is_int64) {
        extend(out, "format", quoted("int64"));
        return out;
    }
    extend(out, "minimum", to_string(shape.min));
    extend(out, "maximum", to_string(shape.max));
    return out;
}

std::string schema_of_text(const TextShape& shape) {
    std::string out = R"({"type":"string"})";
    if (shape.code_points_min > 0) extend(out, "minLength", number(shape.code_points_min));
    extend(out, "maxLength", number(shape.code_points_max));
    if (shape.form == TextForm::name) extend(out, "pattern", quoted(kNamePattern));
    return out;
}

std::string schema_of_id(const IdShape& shape) {
    std::string out = R"({"type":"string"})";
    extend(out, "pattern", quoted("^" + std::string{shape.prefix} + std::string{kCrockford} + "$"));
    return out;
}

std::string schema_of_enumeration(const EnumerationShape& shape) {
    std::string names;
    for (const auto name : shape.names) names += (names.empty() ? "" : ",") + quoted(name);
    return R"({"type":"string","enum":[)" + names + "]}";
}

std::string schema_of_json(const JsonShape& shape) {
    const auto limit = "Free JSON of at most " + number(shape.bytes_max) + " bytes.";
    std::string out = shape.form == JsonForm::object ? R"({"type":"object"})" : "{}";
    extend(out, "description", quoted(limit));
    return out;
}

// The same schema with null allowed.
std::string nullable(const Shape& inner, std::string schema) {
    constexpr std::string_view kType = R"({"type":")";
    if (inner.kind == ShapeKind::json && schema.find(kType) != 0) return schema;
    if (inner.kind == ShapeKind::enumeration || schema.find(kType) != 0)
        return R"({"anyOf":[)" + schema + R"(,{"type":"null"}]})";
    const auto end = schema.find('"', kType.size());
    const auto type = schema.substr(kType.size(), end - kType.size());
    return R"({"type":[")" + type + R"(","null"])" + schema.substr(end + 1);
}

const FieldDoc* find_doc(const Doc& doc, std::string_view member) {
    for (const auto* told = &doc; told; told = told->base)
        for (const auto& field : told->fields)
            if (field.member == member) return &field;
    return nullptr;
}

// A description that the type brought along stays.
void describe_member(std::string& schema, const FieldDoc& doc) {
    if (!doc.text.empty() && schema.find(R"("description":)") == std::string::npos)
        extend(schema, "description", quoted(doc.text));
    if (!doc.example.empty()) extend(schema, "examples", "[" + std::string{doc.example} + "]");
}

bool is_required(const Shape& shape, SchemaUse use) {
    if (shape.kind == ShapeKind::change) return false;
    return use == SchemaUse::response || !may_be_absent(shape);
}

std::string schema_of_object(
    const ObjectShape& shape, SchemaUse use, SchemaComponents& components, std::uint64_t elsewhere
) {
    std::string properties = "{}";
    std::string required;
    for (std::size_t i = 0; i < shape.members.size(); ++i) {
        const auto& member = shape.members[i];
        if (((elsewhere >> i) & 1) != 0) continue;
        auto schema = schema_of(*member.shape, use, components);
        if (const auto* doc = find_doc(*shape.doc, member.cpp_name)) describe_member(schema, *doc);
        extend(properties, member.wire_name, schema);
        if (is_required(*member.shape, use))
            required += (required.empty() ? "" : ",") + quoted(member.wire_name);
    }
    std::string out = R"({"type":"object"})";
    if (!shape.doc->text.empty()) extend(out, "description", quoted(shape.doc->text));
    if (!required.empty()) extend(out, "required", "[" + required + "]");
    extend(out, "properties", properties);
    if (use == SchemaUse::request) extend(out, "additionalProperties", "false");
    return out;
}

// The outer template and its argument: "Page<a::Tenant>" -> "TenantPage".
std::string name_of_type(std::string_view type_name) {
    const auto open = type_name.find('<');
    auto outer = type_name.substr(0, open);
    if (const auto colons = outer.rfind("::"); colons != std::string_view::npos)
        outer.remove_prefix(colons + 2);
    if (open == std::string_view::npos) return std::string{outer};
    auto arguments = type_name.substr(open + 1);
    arguments = arguments.substr(0, arguments.rfind('>'));
    std::string name;
    std::size_t depth = 0;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= arguments.size(); ++i) {
        const char c = i < arguments.size() ? arguments[i] : ',';
        if (c == '<') ++depth;
        if (c == '>') --depth;
        if (c != ',' || depth > 0) continue;
        name += name_of_type(arguments.substr(start, i - start));
        start = i + 1;
    }
    return name + std::string{outer};
}

}  // namespace

std::string component_name(std::string_view type_name) {
    std::string name;
    for (const char c : name_of_type(type_name)) {
        const bool is_word =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (is_word) name += c;
    }
    return name;
}

SchemaComponents::SchemaComponents(const SchemaComponents& survey) : surveyed_(survey.known_) {}

std::string SchemaComponents::name_for(const ObjectShape& shape, SchemaUse use) const {
    const auto name = component_name(boost::core::demangle(shape.type->name()));
    const auto is_used = [&](SchemaUse other) { return surveyed_.contains({*shape.type, other}); };
    if (use == SchemaUse::request && is_used(SchemaUse::response)) return name + "Input";
    const bool is_used_elsewhere = is_used(SchemaUse::response) || is_used(SchemaUse::request);
    if (use == SchemaUse::lenient_request && is_used_elsewhere) return name + "LenientInput";
    return name;
}

std::string SchemaComponents::add(
    const ObjectShape& shape, SchemaUse use, std::uint64_t elsewhere
) {
    const Key key{*shape.type, use};
    const auto name = name_for(shape, use);
    const auto reference = R"({"$ref":"#/components/schemas/)" + name + "\"}";
    const auto fail = [&](std::string_view what) {
        throw std::logic_error("OpenAPI schema " + name + ": " + std::string{what});
    };
    if (const auto found = known_.find(key); found != known_.end()) {
        if (found->second.elsewhere != elsewhere)
            fail("two operations read it with different members in the path; make two structs");
        return reference;
    }
    for (const auto& [other, known] : known_)
        if (known.name == name && (other.first != key.first || !surveyed_.empty()))
            fail("two different structs have this name; rename one");
    // Entered before its members, so that a struct may hold its own kind.
    known_.emplace(key, Known{name, elsewhere});
    auto schema = schema_of_object(shape, use, *this, elsewhere);
    schemas_[name] = std::move(schema);
    return reference;
}

std::string schema_of(const Shape& shape, SchemaUse use, SchemaComponents& components) {
    switch (shape.kind) {
        case ShapeKind::boolean:
            return R"({"type":"boolean"})";
        case ShapeKind::integer:
            return schema_of_integer(static_cast<const IntegerShape&>(shape));
        case ShapeKind::number:
            return R"({"type":"number","format":"double"})";
        case ShapeKind::text:
            return schema_of_text(static_cast<const TextShape&>(shape));
        case ShapeKind::id:
            return schema_of_id(static_cast<const IdShape&>(shape));
        case ShapeKind::instant:
            return R"({"type":"string","format":"date-time"})";
        case ShapeKind::enumeration:
            return schema_of_enumeration(static_cast<const EnumerationShape&>(shape));
        case ShapeKind::json:
            return schema_of_json(static_cast<const JsonShape&>(shape));
        case ShapeKind::optional: {
            const auto& inner = *static_cast<const OptionalShape&>(shape).inner;
            auto schema = schema_of(inner, use, components);
            return use == SchemaUse::response ? nullable(inner, std::move(schema)) : schema;
        }
        case ShapeKind::change: {
            const auto& inner = *static_cast<const ChangeShape&>(shape).inner;
            return nullable(inner, schema_of(inner, use, components));
        }
        case ShapeKind::defaulted: {
            const auto& defaulted = static_cast<const DefaultedShape&>(shape);
            auto schema = schema_of(*defaulted.inner, use, components);
            std::string value;
            append_value(value, *defaulted.inner, defaulted.default_value(), Absent::as_null);
            if (use != SchemaUse::response) extend(schema, "default", value);
            return schema;
        }
        case ShapeKind::list: {
            const auto& list = static_cast<const ListShape&>(shape);
            std::string out = R"({"type":"array"})";
            extend(out, "items", schema_of(*list.inner, use, components));
            if (use != SchemaUse::response) extend(out, "maxItems", number(list.size_max));
            return out;
        }
        case ShapeKind::map: {
            const auto& map = static_cast<const MapShape&>(shape);
            std::string out = R"({"type":"object"})";
            extend(out, "additionalProperties", schema_of(*map.inner, use, components));
            if (use != SchemaUse::response) extend(out, "maxProperties", number(map.size_max));
            return out;
        }
        case ShapeKind::object:
            return components.add(static_cast<const ObjectShape&>(shape), use, 0);
    }
    return "{}";
}

std::string add_response_schema(const Shape& shape, SchemaComponents& components) {
    if (shape.kind == ShapeKind::object && static_cast<const ObjectShape&>(shape).members.empty())
        return {};
    return schema_of(shape, SchemaUse::response, components);
}

namespace {

std::string describe_parameter(
    const Member& member,
    const Doc& docs,
    std::string_view name,
    std::string_view place,
    SchemaComponents& components
) {
    std::string out = "{}";
    extend(out, "name", quoted(name));
    extend(out, "in", quoted(place));
    if (place == "path" || is_required(*member.shape, SchemaUse::request)) {
        const bool is_list = member.shape->kind == ShapeKind::list;
        extend(out, "required", is_list ? "false" : "true");
    }
    const auto* doc = find_doc(docs, member.cpp_name);
    if (doc && !doc->text.empty()) extend(out, "description", quoted(doc->text));
    extend(out, "schema", schema_of(*member.shape, SchemaUse::request, components));
    if (doc && !doc->example.empty()) extend(out, "example", doc->example);
    return out;
}

}  // namespace

RequestDescription describe_request(
    const OperationInfo& operation, const Shape& shape, SchemaComponents& components
) {
    const auto& request = static_cast<const ObjectShape&>(shape);
    const auto sources = member_sources(operation, request);
    std::string parameters;
    const auto add = [&](const Member& member, std::string_view name, std::string_view place) {
        if (!parameters.empty()) parameters += ',';
        parameters += describe_parameter(member, *request.doc, name, place, components);
    };
    for_each_path_parameter(operation.path, [&](std::string_view name) {
        for (const auto& member : request.members)
            if (member.is_called(name)) return add(member, name, "path");
    });
    RequestDescription description;
    for (std::size_t i = 0; i < request.members.size(); ++i) {
        const auto& member = request.members[i];
        if (((sources.query >> i) & 1) != 0) add(member, member.wire_name, "query");
        if (((sources.body >> i) & 1) != 0 && !may_be_absent(*member.shape))
            description.is_body_required = true;
    }
    description.parameters = "[" + parameters + "]";
    if (sources.body == 0) return description;
    const auto use =
        operation.unknown == Unknown::ignore ? SchemaUse::lenient_request : SchemaUse::request;
    description.body_schema = operation.body == BodyKind::bytes
                                  ? "{}"
                                  : components.add(request, use, sources.path | sources.query);
    return description;
}

}  // namespace synapsex::api

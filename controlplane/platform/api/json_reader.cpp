#include "controlplane/platform/api/json_reader.hpp"

#include "controlplane/platform/api/json_writer.hpp"
#include "controlplane/platform/api/scalar.hpp"

namespace synapsex::api {

namespace {

constexpr std::size_t kNoMember = SIZE_MAX;

// Callers mostly send members in the order of their documentation: `expected` is tried first.
std::size_t find_member(const ObjectShape& shape, std::string_view key, std::size_t expected) {
    if (expected < shape.members.size() && shape.members[expected].wire_name == key)
        return expected;
    for (std::size_t i = 0; i < shape.members.size(); ++i)
        if (shape.members[i].wire_name == key) return i;
    return kNoMember;
}

constexpr std::uint64_t bit(std::size_t index) {
    return std::uint64_t{1} << index;
}

std::optional<Flaw> store_json_number(const JsonNode& node, const Shape& shape, void* target) {
    if (shape.kind == ShapeKind::number)
        return store_number(static_cast<const NumberShape&>(shape), node.number, target);
    if (shape.kind != ShapeKind::integer) return wrong_type(shape);
    const auto& integer = static_cast<const IntegerShape&>(shape);
    return node.kind == JsonKind::integer ? store_integer(integer, node.integer, target)
                                          : store_integer(integer, node.number, target);
}

std::optional<Flaw> store_scalar(const JsonNode& node, const Shape& shape, void* target) {
    switch (node.kind) {
        case JsonKind::string:
            return store_string(shape, node.text, target);
        case JsonKind::integer:
        case JsonKind::number:
            return store_json_number(node, shape, target);
        case JsonKind::boolean:
            if (shape.kind != ShapeKind::boolean) return wrong_type(shape);
            *static_cast<bool*>(target) = node.is_true;
            return std::nullopt;
        default:
            return wrong_type(shape);
    }
}

}  // namespace

void JsonReader::report(const JsonNode& node, Flaw flaw) {
    // An array of 10,000 mistakes must not cost 10,000 walks.
    problems_.add(
        problems_.is_full() ? std::string{} : document_.pointer_of(node), std::move(flaw)
    );
}

void JsonReader::report_missing(const JsonNode& object, const Member& member) {
    std::string pointer;
    if (!problems_.is_full()) {
        pointer = document_.pointer_of(object);
        append_pointer(pointer, member.wire_name);
    }
    problems_.add(std::move(pointer), {"required", "is required"});
}

void JsonReader::read(const JsonNode& node, const Shape& shape, void* target) {
    switch (shape.kind) {
        case ShapeKind::optional:
            return read_optional(node, static_cast<const OptionalShape&>(shape), target);
        case ShapeKind::defaulted:
            return read(node, *static_cast<const DefaultedShape&>(shape).inner, target);
        case ShapeKind::change:
            return read_change(node, static_cast<const ChangeShape&>(shape), target);
        case ShapeKind::list:
            return read_list(node, static_cast<const ListShape&>(shape), target);
        case ShapeKind::map:
            return read_map(node, static_cast<const MapShape&>(shape), target);
        case ShapeKind::object:
            return read_object(node, static_cast<const ObjectShape&>(shape), target, 0);
        case ShapeKind::json:
            return read_free_json(node, static_cast<const JsonShape&>(shape), target);
        default:
            if (auto flaw = store_scalar(node, shape, target)) report(node, *std::move(flaw));
    }
}

void JsonReader::read_optional(const JsonNode& node, const OptionalShape& shape, void* target) {
    if (node.kind != JsonKind::null) read(node, *shape.inner, shape.emplace(target));
}

void JsonReader::read_change(const JsonNode& node, const ChangeShape& shape, void* target) {
    if (node.kind == JsonKind::null)
        shape.clear(target);
    else
        read(node, *shape.inner, shape.set(target));
}

void JsonReader::read_list(const JsonNode& node, const ListShape& shape, void* target) {
    if (node.kind != JsonKind::array) return report(node, wrong_type(shape));
    if (node.children > shape.size_max) {
        const auto max = std::to_string(shape.size_max);
        return report(node, {"too_many_items", "must have at most " + max + " items"});
    }
    for (const auto* item = document_.first_child(node); item; item = document_.next(*item))
        read(*item, *shape.inner, shape.append(target));
}

void JsonReader::read_map(const JsonNode& node, const MapShape& shape, void* target) {
    constexpr std::size_t kKeyBytesMax = 256;
    if (node.kind != JsonKind::object) return report(node, wrong_type(shape));
    if (node.children > shape.size_max) {
        const auto max = std::to_string(shape.size_max);
        return report(node, {"too_many_items", "must have at most " + max + " members"});
    }
    for (const auto* item = document_.first_child(node); item; item = document_.next(*item)) {
        if (item->key.size() > kKeyBytesMax)
            report(*item, {"too_long", "has a key of more than 256 bytes"});
        else if (!item->is_duplicate)
            read(*item, *shape.inner, shape.insert(target, item->key));
    }
}

void JsonReader::read_free_json(const JsonNode& node, const JsonShape& shape, void* target) {
    if (shape.form == JsonForm::object && node.kind != JsonKind::object)
        return report(node, wrong_type(shape));
    auto& text = *static_cast<std::string*>(target);
    text.clear();
    append_json(document_, node, text);
    if (text.size() > shape.bytes_max) {
        const auto max = std::to_string(shape.bytes_max);
        report(node, {"too_long", "must have at most " + max + " bytes as compact JSON"});
    }
}

void JsonReader::read_object(
    const JsonNode& node, const ObjectShape& shape, void* target, std::uint64_t elsewhere
) {
    if (node.kind != JsonKind::object) return report(node, wrong_type(shape));
    std::uint64_t seen = elsewhere;
    std::size_t expected = 0;
    for (const auto* item = document_.first_child(node); item; item = document_.next(*item)) {
        if (item->is_duplicate) continue;
        const auto index = find_member(shape, item->key, expected);
        if (index == kNoMember || (elsewhere & bit(index)) != 0) {
            if (unknown_ == Unknown::reject) report(*item, {"unknown_key", "is not known here"});
            continue;
        }
        const auto& member = shape.members[index];
        read(*item, *member.shape, member.in(target));
        seen |= bit(index);
        expected = index + 1;
    }
    for (std::size_t i = 0; i < shape.members.size(); ++i)
        if ((seen & bit(i)) == 0 && !may_be_absent(*shape.members[i].shape))
            report_missing(node, shape.members[i]);
}

void append_json(const JsonDocument& document, const JsonNode& node, std::string& out) {
    switch (node.kind) {
        case JsonKind::null:
            out += "null";
            return;
        case JsonKind::boolean:
            out += node.is_true ? "true" : "false";
            return;
        case JsonKind::integer:
        case JsonKind::number:
            out += node.text;
            return;
        case JsonKind::string:
            append_quoted(out, node.text);
            return;
        case JsonKind::array:
        case JsonKind::object:
            break;
    }
    const bool is_object = node.kind == JsonKind::object;
    out += is_object ? '{' : '[';
    for (const auto* item = document.first_child(node); item; item = document.next(*item)) {
        if (out.back() != '{' && out.back() != '[') out += ',';
        if (is_object) {
            append_quoted(out, item->key);
            out += ':';
        }
        append_json(document, *item, out);
    }
    out += is_object ? '}' : ']';
}

}  // namespace synapsex::api

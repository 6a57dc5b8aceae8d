#include "controlplane/platform/api/json_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "shared/base/log.hpp"
#include "shared/base/time.hpp"

namespace synapsex::api {

namespace {

template <class Number>
void append_number(std::string& out, Number number) {
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), end);
}

void append_double(std::string& out, double number) {
    if (!std::isfinite(number)) throw std::logic_error("a number in an answer is not finite");
    append_number(out, number);
}

void append_integer(std::string& out, WideInteger integer) {
    if (integer.is_natural)
        append_number(out, integer.bits);
    else
        append_number(out, static_cast<std::int64_t>(integer.bits));
}

void append_list(std::string& out, const ListShape& shape, const void* list, Absent absent) {
    out += '[';
    const auto size = shape.size(list);
    for (std::size_t i = 0; i < size; ++i) {
        if (i > 0) out += ',';
        append_value(out, *shape.inner, shape.at(list, i), absent);
    }
    out += ']';
}

void append_map(std::string& out, const MapShape& shape, const void* map, Absent absent) {
    struct Context {
        std::string& out;
        const MapShape& shape;
        Absent absent;
        bool is_first = true;
    };
    Context context{out, shape, absent};
    out += '{';
    shape.for_each(map, &context, [](void* opaque, std::string_view key, const void* value) {
        auto& self = *static_cast<Context*>(opaque);
        if (!self.is_first) self.out += ',';
        self.is_first = false;
        append_quoted(self.out, key);
        self.out += ':';
        append_value(self.out, *self.shape.inner, value, self.absent);
    });
    out += '}';
}

bool is_left_out(const Shape& shape, const void* value, Absent absent) {
    if (shape.kind == ShapeKind::change) {
        const auto& change = static_cast<const ChangeShape&>(shape);
        return change.state(value) == ChangeShape::State::absent;
    }
    return shape.kind == ShapeKind::optional && absent == Absent::left_out &&
           static_cast<const OptionalShape&>(shape).get(value) == nullptr;
}

// Of an optional or a Change: nullptr is null.
void append_nullable(std::string& out, const Shape& inner, const void* value, Absent absent) {
    if (value == nullptr)
        out += "null";
    else
        append_value(out, inner, value, absent);
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
    });
    if (!is_plain) return append_json_string(out, text);
    out += '"';
    out += text;
    out += '"';
}

void append_value(std::string& out, const Shape& shape, const void* value, Absent absent) {
    switch (shape.kind) {
        case ShapeKind::boolean:
            out += *static_cast<const bool*>(value) ? "true" : "false";
            return;
        case ShapeKind::integer:
            return append_integer(out, static_cast<const IntegerShape&>(shape).load(value));
        case ShapeKind::number:
            return append_double(out, static_cast<const NumberShape&>(shape).load(value));
        case ShapeKind::text:
            return append_quoted(out, *static_cast<const std::string*>(value));
        case ShapeKind::id:
            return append_quoted(out, static_cast<const IdShape&>(shape).load(value));
        case ShapeKind::instant:
            return append_quoted(out, format_rfc3339(*static_cast<const Timestamp*>(value)));
        case ShapeKind::enumeration:
            return append_quoted(out, static_cast<const EnumerationShape&>(shape).load(value));
        case ShapeKind::json:
            out += *static_cast<const std::string*>(value);
            return;
        case ShapeKind::optional: {
            const auto& optional = static_cast<const OptionalShape&>(shape);
            return append_nullable(out, *optional.inner, optional.get(value), absent);
        }
        case ShapeKind::defaulted:
            return append_value(
                out, *static_cast<const DefaultedShape&>(shape).inner, value, absent
            );
        case ShapeKind::change: {
            const auto& change = static_cast<const ChangeShape&>(shape);
            return append_nullable(out, *change.inner, change.get(value), absent);
        }
        case ShapeKind::list:
            return append_list(out, static_cast<const ListShape&>(shape), value, absent);
        case ShapeKind::map:
            return append_map(out, static_cast<const MapShape&>(shape), value, absent);
        case ShapeKind::object:
            return append_object(out, static_cast<const ObjectShape&>(shape), value, absent, 0);
    }
}

void append_object(
    std::string& out,
    const ObjectShape& shape,
    const void* object,
    Absent absent,
    std::uint64_t left_out
) {
    out += '{';
    bool is_first = true;
    for (std::size_t i = 0; i < shape.members.size(); ++i) {
        const auto& member = shape.members[i];
        const void* value = member.in(object);
        if (((left_out >> i) & 1) != 0 || is_left_out(*member.shape, value, absent)) continue;
        if (!is_first) out += ',';
        is_first = false;
        append_quoted(out, member.wire_name);
        out += ':';
        append_value(out, *member.shape, value, absent);
    }
    out += '}';
}

}  // namespace synapsex::api

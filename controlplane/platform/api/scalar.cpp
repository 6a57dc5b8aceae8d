#include "controlplane/platform/api/scalar.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include "shared/base/time.hpp"
#include "shared/base/utf8.hpp"

namespace synapsex::api {

namespace {

using MaybeFlaw = std::optional<Flaw>;

MaybeFlaw store_bounded_text(const TextShape& shape, std::string_view text, void* target) {
    const auto characters = [](std::size_t count) {
        return std::to_string(count) + (count == 1 ? " character" : " characters");
    };
    // A code point is at least one byte, so most texts need no counting.
    const auto size = text.size() < shape.code_points_min || text.size() > shape.code_points_max ||
                              shape.code_points_min > 1
                          ? count_code_points(text).value_or(text.size())
                          : text.size();
    if (size < shape.code_points_min)
        return Flaw{"too_short", "must have at least " + characters(shape.code_points_min)};
    if (size > shape.code_points_max)
        return Flaw{"too_long", "must have at most " + characters(shape.code_points_max)};
    if (text.size() > shape.bytes_max)
        return Flaw{"too_long", "must have at most " + std::to_string(shape.bytes_max) + " bytes"};
    // NUL is told of where the text is read.
    const bool has_nul = text.find('\0') != text.npos;
    if (shape.form == TextForm::name && !has_nul && !is_name(text))
        return Flaw{"not_a_name", "must be one line without control characters, not only blanks"};
    static_cast<std::string*>(target)->assign(text);
    return std::nullopt;
}

MaybeFlaw store_enumerator(const EnumerationShape& shape, std::string_view text, void* target) {
    if (shape.store(target, text)) return std::nullopt;
    std::string detail = "must be one of";
    for (const auto name : shape.names) {
        detail += name == shape.names.front() ? " " : ", ";
        detail += name;
    }
    return Flaw{"not_an_enum_value", std::move(detail)};
}

Flaw too_small(const IntegerShape& shape) {
    return {"too_small", "must be at least " + to_string(shape.min)};
}
Flaw too_large(const IntegerShape& shape) {
    return {"too_large", "must be at most " + to_string(shape.max)};
}

// The whole text as a number; nullopt if it is none or does not fit.
template <class Number>
std::optional<Number> parse_whole(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool is_all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

MaybeFlaw store_digits(const IntegerShape& shape, std::string_view text, void* target) {
    const bool is_negative = text.starts_with('-');
    if (!is_all_digits(text.substr(is_negative ? 1 : 0))) return wrong_type(shape);
    if (is_negative) {
        const auto integer = parse_whole<std::int64_t>(text);
        if (!integer) return too_small(shape);
        return store_integer(shape, widen(*integer), target);
    }
    const auto integer = parse_whole<std::uint64_t>(text);
    if (!integer) return too_large(shape);
    return store_integer(shape, widen(*integer), target);
}

MaybeFlaw store_boolean(const Shape& shape, std::string_view text, void* target) {
    if (text != "true" && text != "false") return wrong_type(shape);
    *static_cast<bool*>(target) = text == "true";
    return std::nullopt;
}

}  // namespace

std::string_view name_of(const Shape& shape) {
    switch (shape.kind) {
        case ShapeKind::boolean:
            return "true or false";
        case ShapeKind::integer:
            return "an integer";
        case ShapeKind::number:
            return "a number";
        case ShapeKind::text:
        case ShapeKind::id:
        case ShapeKind::instant:
        case ShapeKind::enumeration:
            return "a string";
        case ShapeKind::list:
            return "an array";
        case ShapeKind::json:
        case ShapeKind::map:
        case ShapeKind::object:
            return "an object";
        case ShapeKind::optional:
            return name_of(*static_cast<const OptionalShape&>(shape).inner);
        case ShapeKind::defaulted:
            return name_of(*static_cast<const DefaultedShape&>(shape).inner);
        case ShapeKind::change:
            return name_of(*static_cast<const ChangeShape&>(shape).inner);
    }
    return "something else";
}

Flaw wrong_type(const Shape& shape) {
    return {"wrong_type", "must be " + std::string{name_of(shape)}};
}

MaybeFlaw store_string(const Shape& shape, std::string_view text, void* target) {
    switch (shape.kind) {
        case ShapeKind::text:
            return store_bounded_text(static_cast<const TextShape&>(shape), text, target);
        case ShapeKind::enumeration:
            return store_enumerator(static_cast<const EnumerationShape&>(shape), text, target);
        case ShapeKind::id: {
            const auto& id = static_cast<const IdShape&>(shape);
            if (id.store(target, text)) return std::nullopt;
            return Flaw{
                "not_an_id", "must be an id: \"" + std::string{id.prefix} + "\" and 26 characters"};
        }
        case ShapeKind::instant: {
            const auto instant = parse_rfc3339(text);
            if (!instant)
                return Flaw{"not_an_instant", "must be an instant as \"2026-01-02T03:04:05Z\""};
            *static_cast<Timestamp*>(target) = *instant;
            return std::nullopt;
        }
        default:
            return wrong_type(shape);
    }
}

MaybeFlaw store_integer(const IntegerShape& shape, WideInteger integer, void* target) {
    if (integer < shape.min) return too_small(shape);
    if (integer > shape.max) return too_large(shape);
    shape.store(target, integer.bits);
    return std::nullopt;
}

MaybeFlaw store_integer(const IntegerShape& shape, double number, void* target) {
    // Beyond 2^53 a double no longer tells neighbours apart.
    constexpr double kExactMax = 9007199254740992.0;
    const bool is_exact = std::abs(number) <= kExactMax;
    const double min = to_double(shape.min);
    const double max = to_double(shape.max);
    if (number < min || (number == min && !is_exact)) return too_small(shape);
    if (number > max || (number == max && !is_exact)) return too_large(shape);
    if (number != std::trunc(number)) return wrong_type(shape);
    if (!is_exact) return Flaw{"wrong_type", "must be an integer without fraction and exponent"};
    return store_integer(shape, widen(static_cast<std::int64_t>(number)), target);
}

MaybeFlaw store_number(const NumberShape& shape, double number, void* target) {
    if (!std::isfinite(number)) return Flaw{"too_large", "must fit into a 64-bit float"};
    shape.store(target, number);
    return std::nullopt;
}

MaybeFlaw store_text(const Shape& shape, std::string_view text, void* target) {
    switch (shape.kind) {
        case ShapeKind::boolean:
            return store_boolean(shape, text, target);
        case ShapeKind::integer:
            return store_digits(static_cast<const IntegerShape&>(shape), text, target);
        case ShapeKind::number: {
            // from_chars also reads "inf" and "nan".
            const auto number = parse_whole<double>(text);
            if (!number || !std::isfinite(*number)) return wrong_type(shape);
            return store_number(static_cast<const NumberShape&>(shape), *number, target);
        }
        default:
            break;
    }
    if (!count_code_points(text)) return Flaw{"invalid_utf8", "is not UTF-8"};
    if (text.find('\0') != std::string_view::npos) return Flaw{"nul", "contains U+0000"};
    return store_string(shape, text, target);
}

}  // namespace synapsex::api

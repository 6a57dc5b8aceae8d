#pragma once

// Puts one plain value into an object of a shape, held against the shape's limits. What JSON,
// query parameters and forms have in common.

#include <optional>
#include <string_view>

#include "controlplane/platform/api/field_problems.hpp"
#include "controlplane/platform/api/shape.hpp"

namespace synapsex::api {

// text, id, instant, enumeration. `text` is valid UTF-8 without NUL.
std::optional<Flaw> store_string(const Shape& shape, std::string_view text, void* target);

std::optional<Flaw> store_integer(const IntegerShape& shape, WideInteger integer, void* target);
// A number that was written with a fraction, an exponent or too many digits: "5.0", "5e0".
std::optional<Flaw> store_integer(const IntegerShape& shape, double number, void* target);

std::optional<Flaw> store_number(const NumberShape& shape, double number, void* target);

// What stands in a path, query or form: boolean, integer (digits only), number or string.
std::optional<Flaw> store_text(const Shape& shape, std::string_view text, void* target);

// "a string", "an integer": for the detail of wrong_type.
std::string_view name_of(const Shape& shape);
Flaw wrong_type(const Shape& shape);

}  // namespace synapsex::api

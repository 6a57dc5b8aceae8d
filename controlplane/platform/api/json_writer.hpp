#pragma once

#include <string>
#include <string_view>

#include "controlplane/platform/api/shape.hpp"

namespace synapsex::api {

// What becomes of an optional member without a value. A Change that is absent is always left out.
enum class Absent {
    as_null,   // answers: every member stands in every answer
    left_out,  // requests
};

// Appends the object as compact JSON. A number that JSON cannot hold (NaN, infinity) throws
// std::logic_error: whoever computed it has a bug.
void append_value(std::string& out, const Shape& shape, const void* value, Absent absent);

// The same for a struct; members in `left_out` (bit i is member i) are left out.
void append_object(
    std::string& out,
    const ObjectShape& shape,
    const void* object,
    Absent absent,
    std::uint64_t left_out
);

// Text as a JSON string. Invalid UTF-8 becomes U+FFFD.
void append_quoted(std::string& out, std::string_view text);

}  // namespace synapsex::api

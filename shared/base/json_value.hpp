#pragma once

// Free JSON that a caller owns and we only carry: an agent's `config`, arguments of a tool. Kept
// as compact JSON text, as databases store it; numbers stay as they were written.

#include <cstddef>
#include <string>

namespace synapsex {

enum class JsonForm { any, object };

// At most MaxBytes of compact JSON; objects in it have no duplicate keys. Depth is limited by the
// document that it came in (32).
template <JsonForm Form, std::size_t MaxBytes>
struct Json {
    static constexpr JsonForm kForm = Form;
    static constexpr std::size_t kMax = MaxBytes;
    std::string value = Form == JsonForm::object ? "{}" : "null";

    friend bool operator==(const Json&, const Json&) = default;
};

using JsonValue = Json<JsonForm::any, 16 * 1024>;
using JsonObject = Json<JsonForm::object, 16 * 1024>;

}  // namespace synapsex

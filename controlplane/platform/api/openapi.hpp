#pragma once

// The OpenAPI 3.1 document of everything mounted. The same routes give the same bytes, whatever the
// order of mounting.

#include <span>
#include <string>
#include <string_view>

#include "controlplane/platform/api/router.hpp"

namespace synapsex::api {

// A group of operations: those whose id starts with "<name>.".
struct OpenApiTag {
    std::string_view name;
    std::string_view description;
};

struct OpenApiInfo {
    std::string_view version;  // of the product
    std::string_view
        server_url;  // without the "/v1" that every path has: "https://api.synapsex.ai"
    std::span<const OpenApiTag> tags;
};

// Pretty-printed, 2 spaces. Operations mounted raw are not in it. Throws std::logic_error for an
// operation whose tag is not in the table, and for two structs of one name.
std::string openapi_document(const Router& router, const OpenApiInfo& info);

// Any valid JSON with line breaks and 2 spaces a level; members stay in order.
std::string pretty_json(std::string_view json);

}  // namespace synapsex::api

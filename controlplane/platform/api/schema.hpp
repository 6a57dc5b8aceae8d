#pragma once

// JSON Schema 2020-12, as OpenAPI 3.1 uses it, from shapes.

#include <map>
#include <string>
#include <string_view>
#include <typeindex>

#include "controlplane/platform/api/codec.hpp"
#include "controlplane/platform/api/shape.hpp"

namespace synapsex::api {

// A struct has one schema where it is read (members may be absent, unknown keys are refused or
// ignored) and another where it is written (every member stands there; more may come).
enum class SchemaUse { request, lenient_request, response };

// The named schemas of the document: one for each described struct, named as its C++ type without
// namespaces; "Page<Tenant>" is "TenantPage". A struct that is both read and written is "Name" in
// answers and "NameInput" in requests, "NameLenientInput" where unknown keys are ignored.
class SchemaComponents {
 public:
    SchemaComponents() = default;
    // With the knowledge of a first walk over the same operations: which structs are both. Names do
    // not depend on the order of mounting then.
    explicit SchemaComponents(const SchemaComponents& survey);

    // {"$ref":…} to the struct's schema, which is added if it is new. Members in `elsewhere` (bit i
    // is member i) are left out. Throws std::logic_error if another type has the name already, or
    // the same type stands there with other members left out.
    std::string add(const ObjectShape& shape, SchemaUse use, std::uint64_t elsewhere);

    // Name -> JSON text.
    const std::map<std::string, std::string>& schemas() const { return schemas_; }

 private:
    using Key = std::pair<std::type_index, SchemaUse>;
    struct Known {
        std::string name;
        std::uint64_t elsewhere;
    };

    std::string name_for(const ObjectShape& shape, SchemaUse use) const;

    std::map<Key, Known> known_;
    std::map<Key, Known> surveyed_;
    std::map<std::string, std::string> schemas_;
};

// JSON text of the schema of a value.
std::string schema_of(const Shape& shape, SchemaUse use, SchemaComponents& components);

std::string add_response_schema(const Shape& shape, SchemaComponents& components);
RequestDescription describe_request(
    const OperationInfo& operation, const Shape& request, SchemaComponents& components
);

// "synapsex::api::Page<synapsex::tenant::Tenant>" -> "TenantPage".
std::string component_name(std::string_view type_name);

}  // namespace synapsex::api

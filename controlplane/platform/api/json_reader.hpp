#pragma once

#include <string_view>

#include "controlplane/platform/api/json_document.hpp"
#include "controlplane/platform/api/shape.hpp"

namespace synapsex::api {

// Reads one JSON value into an object of the shape; what is wrong goes to `problems`, each with its
// pointer, and reading goes on. The object is only to be used if there were none.
class JsonReader {
 public:
    // All outlive the reader.
    JsonReader(const JsonDocument& document, Unknown unknown, FieldProblems& problems)
        : document_(document), unknown_(unknown), problems_(problems) {}

    void read(const JsonNode& node, const Shape& shape, void* target);
    // Members in `elsewhere` (bit i is member i) are no part of the JSON object.
    void read_object(
        const JsonNode& node, const ObjectShape& shape, void* target, std::uint64_t elsewhere
    );

 private:
    void read_optional(const JsonNode& node, const OptionalShape& shape, void* target);
    void read_change(const JsonNode& node, const ChangeShape& shape, void* target);
    void read_list(const JsonNode& node, const ListShape& shape, void* target);
    void read_map(const JsonNode& node, const MapShape& shape, void* target);
    void read_free_json(const JsonNode& node, const JsonShape& shape, void* target);
    void report(const JsonNode& node, Flaw flaw);
    void report_missing(const JsonNode& object, const Member& member);

    const JsonDocument& document_;
    const Unknown unknown_;
    FieldProblems& problems_;
};

// The node as compact JSON; numbers as they were written.
void append_json(const JsonDocument& document, const JsonNode& node, std::string& out);

}  // namespace synapsex::api

#pragma once

#include <string_view>
#include <utility>

#include "controlplane/platform/api/codec.hpp"
#include "controlplane/platform/api/field_problems.hpp"
#include "controlplane/platform/api/shape.hpp"

namespace synapsex::api {

// Reads members from decoded names and values: a query, a form, or the path. A list takes every
// value of its name; anything else may stand once.
class ParameterReader {
 public:
    // `prefix` stands before a name in pointers: "/" for a form, nothing for parameters.
    ParameterReader(std::string_view prefix, FieldProblems& problems)
        : prefix_(prefix), problems_(problems) {}

    void read(const Parameters& given, const Member& member, std::string_view name, void* object);
    void report(std::string_view name, Flaw flaw);

 private:
    void read_one(std::string_view name, std::string_view text, const Shape& shape, void* target);
    void read_list(
        const Parameters& given, std::string_view name, const Shape& shape, void* target
    );

    std::string_view prefix_;
    FieldProblems& problems_;
};

}  // namespace synapsex::api

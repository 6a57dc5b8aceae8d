#pragma once

#include "controlplane/platform/api/field_problems.hpp"
#include "controlplane/platform/api/shape.hpp"
#include "shared/base/result.hpp"

namespace synapsex::api {

// Holds an object that no reader made against the limits of its shape, so that whatever is stored
// or sent on can be read again. What is wrong goes to `problems`, each with its pointer.
class ShapeChecker {
 public:
    explicit ShapeChecker(FieldProblems& problems) : problems_(problems) {}

    void check(const Shape& shape, const void* value);

 private:
    void check_list(const ListShape& shape, const void* list);
    void check_map(const MapShape& shape, const void* map);
    void check_scalar(const Shape& shape, const void* value);
    // One level down and back.
    void check_at(std::string_view key, const Shape& shape, const void* value);
    void report(Flaw flaw) { problems_.add(pointer_, std::move(flaw)); }

    FieldProblems& problems_;
    std::string pointer_;
    std::string text_;  // where checked text goes; nobody reads it
};

// Kind::invalid "request.invalid" with all that is wrong.
Result<Done> check_object(const Shape& shape, const void* object);

}  // namespace synapsex::api

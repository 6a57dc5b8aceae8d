#include "controlplane/platform/api/shape.hpp"

namespace synapsex::api {

const Shape& bare(const Shape& shape) {
    switch (shape.kind) {
        case ShapeKind::optional:
            return bare(*static_cast<const OptionalShape&>(shape).inner);
        case ShapeKind::defaulted:
            return bare(*static_cast<const DefaultedShape&>(shape).inner);
        case ShapeKind::change:
            return bare(*static_cast<const ChangeShape&>(shape).inner);
        default:
            return shape;
    }
}

bool may_be_absent(const Shape& shape) {
    return shape.kind == ShapeKind::optional || shape.kind == ShapeKind::defaulted ||
           shape.kind == ShapeKind::change;
}

}  // namespace synapsex::api

#include "controlplane/platform/api/shape_checker.hpp"

#include "controlplane/platform/api/scalar.hpp"
#include "shared/base/time.hpp"

namespace synapsex::api {

void ShapeChecker::check(const Shape& shape, const void* value) {
    switch (shape.kind) {
        case ShapeKind::optional: {
            const auto& optional = static_cast<const OptionalShape&>(shape);
            if (const void* inner = optional.get(value)) check(*optional.inner, inner);
            return;
        }
        case ShapeKind::defaulted:
            return check(*static_cast<const DefaultedShape&>(shape).inner, value);
        case ShapeKind::change: {
            const auto& change = static_cast<const ChangeShape&>(shape);
            if (const void* inner = change.get(value)) check(*change.inner, inner);
            return;
        }
        case ShapeKind::list:
            return check_list(static_cast<const ListShape&>(shape), value);
        case ShapeKind::map:
            return check_map(static_cast<const MapShape&>(shape), value);
        case ShapeKind::object:
            for (const auto& member : static_cast<const ObjectShape&>(shape).members)
                check_at(member.wire_name, *member.shape, member.in(value));
            return;
        default:
            return check_scalar(shape, value);
    }
}

void ShapeChecker::check_at(std::string_view key, const Shape& shape, const void* value) {
    const auto size = pointer_.size();
    append_pointer(pointer_, key);
    check(shape, value);
    pointer_.resize(size);
}

void ShapeChecker::check_list(const ListShape& shape, const void* list) {
    const auto size = shape.size(list);
    if (size > shape.size_max) {
        const auto max = std::to_string(shape.size_max);
        return report({"too_many_items", "must have at most " + max + " items"});
    }
    for (std::size_t i = 0; i < size; ++i)
        check_at(std::to_string(i), *shape.inner, shape.at(list, i));
}

void ShapeChecker::check_map(const MapShape& shape, const void* map) {
    struct Context {
        ShapeChecker& self;
        const MapShape& shape;
        std::size_t size = 0;
    };
    Context context{*this, shape};
    shape.for_each(map, &context, [](void* opaque, std::string_view key, const void* value) {
        auto& [self, map_shape, size] = *static_cast<Context*>(opaque);
        if (++size <= map_shape.size_max) self.check_at(key, *map_shape.inner, value);
    });
    if (context.size <= shape.size_max) return;
    const auto max = std::to_string(shape.size_max);
    report({"too_many_items", "must have at most " + max + " members"});
}

void ShapeChecker::check_scalar(const Shape& shape, const void* value) {
    std::optional<Flaw> flaw;
    switch (shape.kind) {
        case ShapeKind::text:
            flaw = store_text(shape, *static_cast<const std::string*>(value), &text_);
            break;
        case ShapeKind::instant: {
            const auto& instant = *static_cast<const Timestamp*>(value);
            if (instant < kInstantMin || instant > kInstantMax)
                flaw = Flaw{"not_an_instant", "must be an instant of the years 1 to 9999"};
            break;
        }
        case ShapeKind::integer: {
            const auto& integer = static_cast<const IntegerShape&>(shape);
            std::uint64_t stored = 0;
            flaw = store_integer(integer, integer.load(value), &stored);
            break;
        }
        case ShapeKind::number: {
            const auto& number = static_cast<const NumberShape&>(shape);
            double stored = 0;
            flaw = store_number(number, number.load(value), &stored);
            break;
        }
        default:
            break;  // ids and enumerators are what their types say, JSON what its maker checked
    }
    if (flaw) report(*std::move(flaw));
}

Result<Done> check_object(const Shape& shape, const void* object) {
    FieldProblems problems;
    ShapeChecker{problems}.check(shape, object);
    if (!problems.empty()) return std::move(problems).into_problem();
    return Done{};
}

}  // namespace synapsex::api

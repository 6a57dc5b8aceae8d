#include "controlplane/platform/api/parameter_reader.hpp"

#include "controlplane/platform/api/scalar.hpp"

namespace synapsex::api {

namespace {

using Parameter = Parameters::value_type;

const Parameter* find(const Parameters& given, std::string_view name, std::size_t from) {
    for (std::size_t i = from; i < given.size(); ++i)
        if (given[i].first == name) return &given[i];
    return nullptr;
}

// The innermost place that a text goes to, made present on the way.
std::pair<const Shape*, void*> enter(const Shape& shape, void* target) {
    switch (shape.kind) {
        case ShapeKind::optional: {
            const auto& optional = static_cast<const OptionalShape&>(shape);
            return enter(*optional.inner, optional.emplace(target));
        }
        case ShapeKind::change: {
            const auto& change = static_cast<const ChangeShape&>(shape);
            return enter(*change.inner, change.set(target));
        }
        case ShapeKind::defaulted:
            return enter(*static_cast<const DefaultedShape&>(shape).inner, target);
        default:
            return {&shape, target};
    }
}

}  // namespace

void ParameterReader::read(
    const Parameters& given, const Member& member, std::string_view name, void* object
) {
    void* target = member.in(object);
    const auto* first = find(given, name, 0);
    if (bare(*member.shape).kind == ShapeKind::list) {
        if (first) read_list(given, name, *member.shape, target);
        return;
    }
    if (!first) {
        if (!may_be_absent(*member.shape)) report(name, {"required", "is required"});
        return;
    }
    if (find(given, name, static_cast<std::size_t>(first - given.data()) + 1))
        return report(name, {"duplicate_parameter", "stands more than once"});
    read_one(name, first->second, *member.shape, target);
}

void ParameterReader::report(std::string_view name, Flaw flaw) {
    std::string pointer;
    if (prefix_.empty())
        pointer = name;
    else
        append_pointer(pointer, name);
    problems_.add(std::move(pointer), std::move(flaw));
}

void ParameterReader::read_one(
    std::string_view name, std::string_view text, const Shape& shape, void* target
) {
    const auto [inner, place] = enter(shape, target);
    if (auto flaw = store_text(*inner, text, place)) report(name, *std::move(flaw));
}

void ParameterReader::read_list(
    const Parameters& given, std::string_view name, const Shape& shape, void* target
) {
    const auto [inner, place] = enter(shape, target);
    const auto& list = static_cast<const ListShape&>(*inner);
    for (const auto& [key, text] : given) {
        if (key != name) continue;
        if (list.size(place) == list.size_max) {
            const auto max = std::to_string(list.size_max);
            return report(name, {"too_many_items", "may stand at most " + max + " times"});
        }
        read_one(name, text, *list.inner, list.append(place));
    }
}

}  // namespace synapsex::api

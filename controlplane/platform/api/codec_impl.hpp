#pragma once

// Definitions of Codec<T>, for the api.cpp of a service and for nobody else:
//
//   template struct synapsex::api::Codec<synapsex::tenant::CreateTenant>;
//
// What a type costs here is its shape: constant tables and functions of one line.

#include <limits>
#include <map>
#include <optional>
#include <type_traits>
#include <vector>

#include "controlplane/platform/api/codec.hpp"
#include "controlplane/platform/api/json_writer.hpp"
#include "controlplane/platform/api/request_codec.hpp"
#include "controlplane/platform/api/schema.hpp"
#include "controlplane/platform/api/shape.hpp"
#include "controlplane/platform/api/shape_checker.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/describe.hpp"
#include "shared/base/ids.hpp"
#include "shared/base/time.hpp"

namespace synapsex::api {

inline constexpr std::size_t kStringBytesMax = 64 * 1024;
inline constexpr std::size_t kListItemsMax = 10'000;

// Left undefined for what has no form in JSON: the compiler then names the type.
template <class T>
struct ShapeOf;

template <>
struct ShapeOf<bool> {
    static constexpr Shape kShape{ShapeKind::boolean};
};

template <std::integral T>
struct ShapeOf<T> {
    static WideInteger load(const void* value) { return widen(*static_cast<const T*>(value)); }
    static void store(void* value, std::uint64_t bits) {
        *static_cast<T*>(value) = static_cast<T>(bits);
    }
    static constexpr IntegerShape kShape{
        {ShapeKind::integer},
        widen(std::numeric_limits<T>::min()),
        widen(std::numeric_limits<T>::max()),
        load,
        store};
};

template <std::int64_t Min, std::int64_t Max>
struct ShapeOf<Int<Min, Max>> {
    static_assert(std::is_standard_layout_v<Int<Min, Max>>);
    using Base = ShapeOf<std::int64_t>;
    static constexpr IntegerShape kShape{
        {ShapeKind::integer}, widen(Min), widen(Max), Base::load, Base::store};
};

template <std::floating_point T>
struct ShapeOf<T> {
    static double load(const void* value) {
        return static_cast<double>(*static_cast<const T*>(value));
    }
    static void store(void* value, double number) {
        *static_cast<T*>(value) = static_cast<T>(number);
    }
    static constexpr NumberShape kShape{{ShapeKind::number}, load, store};
};

template <>
struct ShapeOf<std::string> {
    static constexpr TextShape kShape{{ShapeKind::text}, 0, kStringBytesMax, kStringBytesMax};
};

template <std::size_t Min, std::size_t Max, TextForm Form>
struct ShapeOf<Text<Min, Max, Form>> {
    static_assert(std::is_standard_layout_v<Text<Min, Max, Form>>);
    static constexpr TextShape kShape{{ShapeKind::text}, Min, Max, 4 * Max, Form};
};

template <class Tag>
struct ShapeOf<Id<Tag>> {
    static std::string_view load(const void* id) { return static_cast<const Id<Tag>*>(id)->text(); }
    static bool store(void* id, std::string_view text) {
        auto parsed = Id<Tag>::parse(text);
        if (parsed) *static_cast<Id<Tag>*>(id) = *std::move(parsed);
        return parsed.has_value();
    }
    static constexpr IdShape kShape{{ShapeKind::id}, Tag::kPrefix, load, store};
};

template <>
struct ShapeOf<Timestamp> {
    static constexpr Shape kShape{ShapeKind::instant};
};

template <DescribedEnum E>
struct ShapeOf<E> {
    static constexpr auto kNames = enumerator_names<E>();
    static std::string_view load(const void* value) {
        return enum_name(*static_cast<const E*>(value));
    }
    static bool store(void* value, std::string_view name) {
        const auto parsed = parse_enum<E>(name);
        if (parsed) *static_cast<E*>(value) = *parsed;
        return parsed.has_value();
    }
    static constexpr EnumerationShape kShape{{ShapeKind::enumeration}, kNames, load, store};
};

template <JsonForm Form, std::size_t MaxBytes>
struct ShapeOf<Json<Form, MaxBytes>> {
    static_assert(std::is_standard_layout_v<Json<Form, MaxBytes>>);
    static constexpr JsonShape kShape{{ShapeKind::json}, Form, MaxBytes};
};

template <class T>
struct ShapeOf<std::optional<T>> {
    static const void* get(const void* value) {
        const auto& optional = *static_cast<const std::optional<T>*>(value);
        return optional ? &*optional : nullptr;
    }
    static void* emplace(void* value) { return &static_cast<std::optional<T>*>(value)->emplace(); }
    static constexpr OptionalShape kShape{{ShapeKind::optional}, &ShapeOf<T>::kShape, get, emplace};
};

template <class T, auto Value>
struct ShapeOf<Default<T, Value>> {
    static_assert(std::is_standard_layout_v<Default<T, Value>>);
    static const void* default_value() {
        static const T kValue{Value};
        return &kValue;
    }
    static constexpr DefaultedShape kShape{
        {ShapeKind::defaulted}, &ShapeOf<T>::kShape, default_value};
};

template <class T>
struct ShapeOf<Change<T>> {
    using State = ChangeShape::State;
    static State state(const void* value) {
        switch (static_cast<const Change<T>*>(value)->state) {
            case Change<T>::State::absent:
                return State::absent;
            case Change<T>::State::cleared:
                return State::cleared;
            case Change<T>::State::set:
                break;
        }
        return State::set;
    }
    static const void* get(const void* value) {
        const auto& change = *static_cast<const Change<T>*>(value);
        return change.state == Change<T>::State::set ? &change.value : nullptr;
    }
    static void clear(void* value) {
        *static_cast<Change<T>*>(value) = {Change<T>::State::cleared, {}};
    }
    static void* set(void* value) {
        auto& change = *static_cast<Change<T>*>(value);
        change.state = Change<T>::State::set;
        return &change.value;
    }
    static constexpr ChangeShape kShape{
        {ShapeKind::change}, &ShapeOf<T>::kShape, state, get, clear, set};
};

template <class List, std::size_t Max>
struct ShapeOfList {
    using Item = typename List::value_type;
    static_assert(!std::is_same_v<Item, bool>, "std::vector<bool> has no addressable elements");
    static std::size_t size(const void* list) { return static_cast<const List*>(list)->size(); }
    static const void* at(const void* list, std::size_t index) {
        return &(*static_cast<const List*>(list))[index];
    }
    static void* append(void* list) { return &static_cast<List*>(list)->emplace_back(); }
    static constexpr ListShape kShape{
        {ShapeKind::list}, &ShapeOf<Item>::kShape, Max, size, at, append};
};
template <class T>
struct ShapeOf<std::vector<T>> : ShapeOfList<std::vector<T>, kListItemsMax> {};
template <class T, std::size_t Max>
struct ShapeOf<List<T, Max>> : ShapeOfList<List<T, Max>, Max> {};

template <class T>
struct ShapeOf<std::map<std::string, T>> {
    using Map = std::map<std::string, T>;
    static void for_each(const void* map, void* context, MapShape::Visit visit) {
        for (const auto& [key, value] : *static_cast<const Map*>(map)) visit(context, key, &value);
    }
    static void* insert(void* map, std::string_view key) {
        return &(*static_cast<Map*>(map))[std::string{key}];
    }
    static constexpr MapShape kShape{
        {ShapeKind::map}, &ShapeOf<T>::kShape, kListItemsMax, for_each, insert};
};

template <class T, class Descriptor>
struct MemberOf {
    using Type = std::remove_cvref_t<decltype(std::declval<T&>().*Descriptor::pointer)>;
    static void* address(void* object) { return &(static_cast<T*>(object)->*Descriptor::pointer); }
    static constexpr Member kMember{
        wire_name<T, Descriptor>(), Descriptor::name, &ShapeOf<Type>::kShape, address};
};

template <class T, class Descriptors>
struct MembersTable;
template <class T, template <class...> class Descriptors, class... Descriptor>
struct MembersTable<T, Descriptors<Descriptor...>> {
    static constexpr std::array<Member, sizeof...(Descriptor)> kMembers{
        MemberOf<T, Descriptor>::kMember...};
};

template <Described T>
struct ShapeOf<T> {
    static constexpr ObjectShape kShape{
        {ShapeKind::object}, &typeid(T), MembersTable<T, MembersOf<T>>::kMembers, &kDocOf<T>};
};

template <class T>
Result<T> Codec<T>::read_request(const OperationInfo& operation, const RequestParts& parts) {
    T object{};
    SYNAPSEX_CHECK(api::read_request(operation, parts, ShapeOf<T>::kShape, &object));
    return object;
}

template <class T>
Result<T> Codec<T>::read_path(const OperationInfo& operation, const RequestParts& parts) {
    T object{};
    SYNAPSEX_CHECK(api::read_path(operation, parts, ShapeOf<T>::kShape, &object));
    return object;
}

template <class T>
Result<T> Codec<T>::read_json(std::string_view text, Unknown unknown) {
    T object{};
    SYNAPSEX_CHECK(api::read_json(text, unknown, ShapeOf<T>::kShape, &object));
    return object;
}

template <class T>
Result<Done> Codec<T>::check(const T& object) {
    return check_object(ShapeOf<T>::kShape, &object);
}

template <class T>
void Codec<T>::write_json(const T& object, std::string& out) {
    append_value(out, ShapeOf<T>::kShape, &object, Absent::as_null);
}

template <class T>
ClientRequest Codec<T>::write_request(const OperationInfo& operation, const T& object) {
    return api::write_request(operation, ShapeOf<T>::kShape, &object);
}

template <class T>
void Codec<T>::check_operation(const OperationInfo& operation) {
    check_request(operation, ShapeOf<T>::kShape);
}

template <class T>
std::string Codec<T>::add_schema(SchemaComponents& components) {
    return add_response_schema(ShapeOf<T>::kShape, components);
}

template <class T>
RequestDescription Codec<T>::describe_request(
    const OperationInfo& operation, SchemaComponents& components
) {
    return api::describe_request(operation, ShapeOf<T>::kShape, components);
}

}  // namespace synapsex::api

#pragma once

// The describe visitor: walks the members of a BOOST_DESCRIBE_STRUCT and the values of a
// BOOST_DESCRIBE_ENUM. JSON readers, JSON writers, schemas, SQL rows and command lines are all made
// from this one walk. C++ members are snake_case; JSON keys are camelCase, derived here at compile
// time, unless the wire form is fixed by a standard.

#include <array>
#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <optional>
#include <string_view>
#include <type_traits>

namespace synapsex {

enum class Names { camel_case, as_written };

// Specialise for a struct whose member names a standard fixes:
//   template <> inline constexpr Names kNamesOf<TokenAnswer> = Names::as_written;
template <class T>
inline constexpr Names kNamesOf = Names::camel_case;

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;

template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

namespace detail {

constexpr std::size_t text_size(const char* text) {
    std::size_t size = 0;
    while (text[size] != '\0') ++size;
    return size;
}

// "enrolled_at" -> "enrolledAt", in static storage.
template <class Descriptor>
struct CamelCase {
    static constexpr std::size_t kSize = text_size(Descriptor::name);
    struct Text {
        std::array<char, kSize + 1> chars{};
        std::size_t size = 0;
    };
    static constexpr Text make() {
        Text text;
        bool is_upper_next = false;
        for (std::size_t i = 0; i < kSize; ++i) {
            const char c = Descriptor::name[i];
            if (c == '_') {
                is_upper_next = true;
                continue;
            }
            const bool is_lower = c >= 'a' && c <= 'z';
            text.chars[text.size++] =
                is_upper_next && is_lower ? static_cast<char>(c - 'a' + 'A') : c;
            is_upper_next = false;
        }
        return text;
    }
    static constexpr Text kText = make();
};

}  // namespace detail

// Those of a base first.
template <class T>
using MembersOf = boost::describe::describe_members<
    T, boost::describe::mod_public | boost::describe::mod_inherited>;

// The member's name on the wire.
template <class T, class Descriptor>
constexpr std::string_view wire_name() {
    if constexpr (kNamesOf<T> == Names::as_written) {
        return std::string_view{Descriptor::name};
    } else {
        constexpr auto& text = detail::CamelCase<Descriptor>::kText;
        return std::string_view{text.chars.data(), text.size};
    }
}

// visit(wire name, C++ name, pointer to member) for each member, in order of declaration.
template <class T, class Visit>
constexpr void for_each_member(Visit&& visit) {
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto descriptor) {
        using Descriptor = decltype(descriptor);
        visit(wire_name<T, Descriptor>(), std::string_view{Descriptor::name}, Descriptor::pointer);
    });
}

// "operator_" -> "operator": an enumerator that would be a keyword carries a trailing underscore in
// C++ and nowhere else.
constexpr std::string_view enumerator_name(std::string_view name) {
    if (name.ends_with('_')) name.remove_suffix(1);
    return name;
}

// The enumerator's name in JSON, SQL and text; empty for a value outside the enumeration.
template <DescribedEnum E>
constexpr std::string_view enum_name(E value) {
    std::string_view name;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto descriptor) {
        if (descriptor.value == value) name = enumerator_name(descriptor.name);
    });
    return name;
}

template <DescribedEnum E>
constexpr std::optional<E> parse_enum(std::string_view text) {
    std::optional<E> value;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto descriptor) {
        if (text == enumerator_name(descriptor.name)) value = descriptor.value;
    });
    return value;
}

// All names, in order of declaration.
template <DescribedEnum E>
constexpr auto enumerator_names() {
    using Enumerators = boost::describe::describe_enumerators<E>;
    std::array<std::string_view, boost::mp11::mp_size<Enumerators>::value> names{};
    std::size_t count = 0;
    boost::mp11::mp_for_each<Enumerators>([&](auto descriptor) {
        names[count++] = enumerator_name(descriptor.name);
    });
    return names;
}

}  // namespace synapsex

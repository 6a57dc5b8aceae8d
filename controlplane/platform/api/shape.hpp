#pragma once

// What a C++ type looks like at run time: tables of plain data and function pointers that
// codec_impl.hpp fills in at compile time. Reader, writer and schema are ordinary functions over
// shapes and `void*`, compiled once; a struct costs its table and nothing else.
//
// Every function here gets an object of exactly the type that its shape was made from.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>

#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/api/wide_integer.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/json_value.hpp"

namespace synapsex::api {

enum class ShapeKind : std::uint8_t {
    boolean,
    integer,
    number,
    text,
    id,
    instant,
    enumeration,
    json,
    optional,
    defaulted,
    change,
    list,
    map,
    object,
};

struct Shape {
    ShapeKind kind;
};

// Any integer type and Int<>.
struct IntegerShape : Shape {
    WideInteger min;
    WideInteger max;
    WideInteger (*load)(const void* integer);
    void (*store)(void* integer, std::uint64_t bits);
};

struct NumberShape : Shape {
    double (*load)(const void* number);
    void (*store)(void* number, double value);
};

// std::string and Text<>; both start with the string.
struct TextShape : Shape {
    std::size_t code_points_min;
    std::size_t code_points_max;
    std::size_t bytes_max;
    TextForm form = TextForm::any;
};

struct IdShape : Shape {
    std::string_view prefix;
    std::string_view (*load)(const void* id);
    // False if the text is no id of this kind.
    bool (*store)(void* id, std::string_view text);
};

struct EnumerationShape : Shape {
    std::span<const std::string_view> names;
    std::string_view (*load)(const void* enumerator);
    // False if no enumerator has the name.
    bool (*store)(void* enumerator, std::string_view name);
};

// Json<>; starts with the string.
struct JsonShape : Shape {
    JsonForm form;
    std::size_t bytes_max;
};

struct OptionalShape : Shape {
    const Shape* inner;
    const void* (*get)(const void* optional);  // nullptr: absent
    void* (*emplace)(void* optional);
};

// Default<>; starts with the value.
struct DefaultedShape : Shape {
    const Shape* inner;
    const void* (*default_value)();
};

struct ChangeShape : Shape {
    enum class State { absent, cleared, set };
    const Shape* inner;
    State (*state)(const void* change);
    const void* (*get)(const void* change);
    void (*clear)(void* change);
    void* (*set)(void* change);
};

// std::vector and List<>.
struct ListShape : Shape {
    const Shape* inner;
    std::size_t size_max;
    std::size_t (*size)(const void* list);
    const void* (*at)(const void* list, std::size_t index);
    // A new element at the end; it moves when the next is appended.
    void* (*append)(void* list);
};

// std::map<std::string, T>.
struct MapShape : Shape {
    using Visit = void (*)(void* context, std::string_view key, const void* value);
    const Shape* inner;
    std::size_t size_max;
    void (*for_each)(const void* map, void* context, Visit visit);
    void* (*insert)(void* map, std::string_view key);
};

struct Member {
    std::string_view wire_name;
    std::string_view cpp_name;
    const Shape* shape;
    void* (*address)(void* object);

    void* in(void* object) const { return address(object); }
    const void* in(const void* object) const { return address(const_cast<void*>(object)); }
    // Whether a path template's {name} means this member.
    bool is_called(std::string_view name) const { return name == wire_name || name == cpp_name; }
};

struct ObjectShape : Shape {
    const std::type_info* type;
    std::span<const Member> members;  // at most 64
    const Doc* doc;
};

// Past optional, Default and Change.
const Shape& bare(const Shape& shape);
// Whether a request may leave a member of this shape out.
bool may_be_absent(const Shape& shape);

}  // namespace synapsex::api

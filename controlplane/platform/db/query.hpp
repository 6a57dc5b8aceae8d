#pragma once

// Values, rows and named statements: what crosses the line between a store and a database engine.

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/base/bounded.hpp"
#include "shared/base/describe.hpp"
#include "shared/base/ids.hpp"
#include "shared/base/time.hpp"

namespace synapsex::db {

// A statement and its name. The name ("tenants.insert") stands in slow-query logs and metrics. One
// text serves both engines; parameters are $1 to $n. Declare as `constexpr` at namespace scope:
// engines cache prepared statements by the address of the text.
struct Query {
    std::string_view name;
    std::string_view sql;
    std::string_view postgres{};  // where PostgreSQL needs another text; a comment says why

    constexpr std::string_view on_postgres() const { return postgres.empty() ? sql : postgres; }
};

// Bytes, where a column is BLOB (SQLite) or BYTEA (PostgreSQL).
struct Blob {
    std::string bytes;
    friend bool operator==(const Blob&, const Blob&) = default;
};

enum class ValueType { text, integer, real, boolean, blob };

// A parameter or a column. NULL keeps its type, which PostgreSQL needs to know.
struct Value {
    ValueType type = ValueType::text;
    // integer and boolean both hold int64_t; monostate is NULL.
    std::variant<std::monostate, std::int64_t, double, std::string> data{};

    bool is_null() const { return std::holds_alternative<std::monostate>(data); }
};

// The engine is unusable or broke a promise: disk full, corrupt file, lost connection. Not for
// what a caller's input decides.
class DatabaseError : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {
    using Inner = T;
};
template <class T>
struct IsId : std::false_type {};
template <class Tag>
struct IsId<Id<Tag>> : std::true_type {};

template <class T>
concept HoldsText = requires(const T& wrapped) {
    T::kMax;
    { wrapped.value } -> std::convertible_to<std::string_view>;
};
template <class T>
concept HoldsInteger = requires(const T& wrapped) {
    T::kMax;
    { wrapped.value } -> std::same_as<const std::int64_t&>;
};

template <class T>
constexpr ValueType value_type_of() {
    if constexpr (IsOptional<T>::value) return value_type_of<typename IsOptional<T>::Inner>();
    else if constexpr (std::same_as<T, bool>) return ValueType::boolean;
    else if constexpr (std::same_as<T, Blob>) return ValueType::blob;
    else if constexpr (std::floating_point<T>) return ValueType::real;
    else if constexpr (std::integral<T> || std::same_as<T, Timestamp> || HoldsInteger<T>)
        return ValueType::integer;
    else return ValueType::text;
}

// C++ value -> parameter. Described enums travel by name, ids and bounded text as text, instants as
// microseconds.
template <class T>
Value to_value(const T& input) {
    Value value{value_type_of<T>(), {}};
    if constexpr (IsOptional<T>::value) {
        if (input) value.data = to_value(*input).data;
    } else if constexpr (std::same_as<T, Blob>) value.data = input.bytes;
    else if constexpr (std::same_as<T, Timestamp>) value.data = to_micros(input);
    else if constexpr (IsId<T>::value) value.data = input.text();
    else if constexpr (DescribedEnum<T>) value.data = std::string{enum_name(input)};
    else if constexpr (std::floating_point<T>) value.data = static_cast<double>(input);
    else if constexpr (std::integral<T>) value.data = static_cast<std::int64_t>(input);
    else if constexpr (HoldsInteger<T> || HoldsText<T>) value.data = input.value;
    else value.data = std::string{std::string_view{input}};
    return value;
}

// Column -> C++ value. Throws DatabaseError when the column cannot be one: a NULL where none may
// be, text that is no enumerator. That is a broken migration, not bad input.
template <class T>
T from_value(const Value& value, std::string_view column);

class Rows;

// One row of a result; valid while its Rows lives.
class Row {
 public:
    Row(const Rows& rows, std::size_t index) : rows_(&rows), index_(index) {}

    template <class T>
    T get(std::string_view column) const;
    // Every member from the column of its own name (both are snake_case).
    template <Described T>
    T as() const;

 private:
    const Rows* rows_;
    std::size_t index_;
};

// A materialised result.
class Rows {
 public:
    std::vector<std::string> columns;
    std::vector<Value> cells;     // row after row
    std::int64_t affected = 0;    // rows changed by INSERT, UPDATE, DELETE (with RETURNING: size())

    std::size_t size() const { return columns.empty() ? 0 : cells.size() / columns.size(); }
    bool empty() const { return size() == 0; }
    Row operator[](std::size_t index) const { return Row{*this, index}; }
    const Value& cell(std::size_t row, std::string_view column) const;
};

inline const Value& Rows::cell(std::size_t row, std::string_view column) const {
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i] == column) return cells[row * columns.size() + i];
    throw DatabaseError("no column " + std::string{column});
}

template <class T>
T from_value(const Value& value, std::string_view column) {
    const auto fail = [&](const char* why) {
        return DatabaseError("column " + std::string{column} + " " + why);
    };
    if constexpr (IsOptional<T>::value) {
        if (value.is_null()) return std::nullopt;
        return from_value<typename IsOptional<T>::Inner>(value, column);
    } else {
        if (value.is_null()) throw fail("is NULL");
        constexpr auto kType = value_type_of<T>();
        if constexpr (kType == ValueType::integer || kType == ValueType::boolean) {
            const auto* number = std::get_if<std::int64_t>(&value.data);
            if (!number) throw fail("is no integer");
            if constexpr (std::same_as<T, Timestamp>) return from_micros(*number);
            else if constexpr (std::same_as<T, bool>) return *number != 0;
            else if constexpr (HoldsInteger<T>) return T{*number};
            else return static_cast<T>(*number);
        } else if constexpr (kType == ValueType::real) {
            if (const auto* number = std::get_if<std::int64_t>(&value.data))
                return static_cast<T>(*number);
            const auto* number = std::get_if<double>(&value.data);
            if (!number) throw fail("is no number");
            return static_cast<T>(*number);
        } else {
            const auto* text = std::get_if<std::string>(&value.data);
            if (!text) throw fail("is no text");
            if constexpr (std::same_as<T, Blob>) return Blob{*text};
            else if constexpr (IsId<T>::value) {
                auto id = T::parse(*text);
                if (!id) throw fail("is no id of its kind");
                return *id;
            } else if constexpr (DescribedEnum<T>) {
                const auto enumerator = parse_enum<T>(*text);
                if (!enumerator) throw fail("is no enumerator");
                return *enumerator;
            } else return T{*text};
        }
    }
}

template <class T>
T Row::get(std::string_view column) const {
    return from_value<T>(rows_->cell(index_, column), column);
}

template <Described T>
T Row::as() const {
    T object{};
    for_each_member<T>([&](std::string_view, std::string_view column, auto member) {
        using Member = std::remove_cvref_t<decltype(object.*member)>;
        object.*member = get<Member>(column);
    });
    return object;
}

}  // namespace synapsex::db

#pragma once

// Types that carry their limits. A request that was read holds only values within them, and the
// OpenAPI document states them, because both ask the type.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace synapsex {

enum class TextForm { any, name };

// UTF-8 text of Min to Max code points. Bytes are at most 4 * Max; NUL never.
template <std::size_t Min, std::size_t Max, TextForm Form = TextForm::any>
struct Text {
    static constexpr std::size_t kMin = Min;
    static constexpr std::size_t kMax = Max;
    std::string value;

    operator const std::string&() const { return value; }
    friend bool operator==(const Text&, const Text&) = default;
};

// What people call something: one line without control characters, and not only blanks (is_name in
// utf8.hpp). It is shown in terminals, logs and tables, so it must not be able to speak to them.
template <std::size_t Min, std::size_t Max>
using Name = Text<Min, Max, TextForm::name>;

// An integer in [Min, Max].
template <std::int64_t Min, std::int64_t Max>
struct Int {
    static constexpr std::int64_t kMin = Min;
    static constexpr std::int64_t kMax = Max;
    std::int64_t value = Min;

    operator std::int64_t() const { return value; }
    friend bool operator==(const Int&, const Int&) = default;
};

// A member that may be left out and is then Value.
template <class T, auto Value>
struct Default {
    static constexpr auto kDefault = Value;
    T value{Value};

    operator const T&() const { return value; }
    friend bool operator==(const Default&, const Default&) = default;
};

// At most Max elements.
template <class T, std::size_t Max>
struct List : std::vector<T> {
    static constexpr std::size_t kMax = Max;
    using std::vector<T>::vector;
};

// A member of a PATCH body (RFC 7396): left out, null, or a new value.
template <class T>
struct Change {
    enum class State { absent, cleared, set };
    State state = State::absent;
    T value{};

    bool is_present() const { return state != State::absent; }
    friend bool operator==(const Change&, const Change&) = default;
};

}  // namespace synapsex

#pragma once

// An answer that programs read line by line: application/x-ndjson, an item as JSON in each line. It
// is a page like any other; where the next one starts stands in the Link header alone.

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace synapsex::api {

inline constexpr std::string_view kLinesType = "application/x-ndjson";

template <class Item>
struct Lines {
    std::vector<Item> items{};
    std::optional<std::string> next_cursor{};
};

template <class T>
struct IsLines : std::false_type {};
template <class T>
struct IsLines<Lines<T>> : std::true_type {
    using Item = T;
};

}  // namespace synapsex::api

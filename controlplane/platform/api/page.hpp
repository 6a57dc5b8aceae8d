#pragma once

// Lists: {"items":[…],"nextCursor":…} with keyset cursors. A cursor is opaque to callers: the key
// of the last item they saw, in base64url. It stays valid while rows come and go.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/bounded.hpp"
#include "shared/base/result.hpp"

namespace synapsex::api {

// Items a page: 1 to 100, 50 unless said.
using PageLimit = Default<Int<1, 100>, 50>;
using Cursor = Text<1, 200>;

std::string encode_cursor(std::string_view key);
// The key that encode_cursor was given; empty for no cursor (start at the beginning). `is_key`
// knows the list's keys: with any other, a list would silently start or end anywhere.
// Kind::invalid request.cursor_invalid.
Result<std::string> decode_cursor(
    const std::optional<Cursor>& cursor, bool (*is_key)(std::string_view)
);

// Of a list that goes by an id.
template <class IdType>
Result<std::string> decode_id_cursor(const std::optional<Cursor>& cursor) {
    return decode_cursor(cursor, [](std::string_view key) {
        return IdType::parse(key).has_value();
    });
}

// Given up to limit + 1 rows, cuts the extra one and says where the next page starts.
// key_of(item) -> std::string.
template <class Item, class KeyOf>
std::optional<std::string> cut_page(std::vector<Item>& items, std::int64_t limit, KeyOf key_of) {
    const auto size = static_cast<std::size_t>(limit);
    if (items.size() <= size) return std::nullopt;
    items.resize(size);
    return encode_cursor(key_of(items.back()));
}

}  // namespace synapsex::api

#include "controlplane/platform/db/postgres/placeholders.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace synapsex::db {

namespace {

std::string_view name_of(ValueType type) {
    switch (type) {
        case ValueType::text: return "text";
        case ValueType::integer: return "bigint";
        case ValueType::real: return "double precision";
        case ValueType::boolean: return "boolean";
        case ValueType::blob: return "bytea";
    }
    return "text";
}

// The end of what starts here and holds no parameter, or 0. A doubled quote reads as two strings
// side by side, which comes to the same.
std::size_t end_of_opaque(std::string_view rest) {
    const auto up_to = [&](std::string_view closing, std::size_t from) {
        const auto found = rest.find(closing, from);
        return found == rest.npos ? rest.size() : found + closing.size();
    };
    if (rest.starts_with('\'')) return up_to("'", 1);
    if (rest.starts_with('"')) return up_to("\"", 1);
    if (rest.starts_with("--")) return up_to("\n", 2);
    if (rest.starts_with("/*")) return up_to("*/", 2);
    return 0;
}

}  // namespace

std::string with_types(std::string_view sql, std::span<const Value> values) {
    std::string out;
    out.reserve(sql.size() + values.size() * 8);
    std::vector<bool> is_named(values.size(), false);
    while (!sql.empty()) {
        auto taken = end_of_opaque(sql);
        if (taken > 0) {
            out += sql.substr(0, taken);
        } else if (std::size_t number = 0; sql.front() == '$') {
            const auto* const end = sql.data() + sql.size();
            const auto parsed = std::from_chars(sql.data() + 1, end, number);
            if (parsed.ec != std::errc{} || number == 0 || number > values.size())
                throw DatabaseError(
                    "got " + std::to_string(values.size()) + " values, but the text has $" +
                    std::to_string(number)
                );
            is_named[number - 1] = true;
            taken = static_cast<std::size_t>(parsed.ptr - sql.data());
            out += sql.substr(0, taken);
            out += "::";
            out += name_of(values[number - 1].type);
        } else {
            taken = std::min(sql.find_first_of("'\"-/$", 1), sql.size());
            out += sql.substr(0, taken);
        }
        sql.remove_prefix(taken);
    }
    if (!std::ranges::all_of(is_named, [](bool named) { return named; }))
        throw DatabaseError(
            "got " + std::to_string(values.size()) + " values, and the text names fewer"
        );
    return out;
}

}  // namespace synapsex::db

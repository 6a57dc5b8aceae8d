#pragma once

// Text for a terminal. Names, versions and details come from the fleet and from servers, so from
// anybody: whatever is shown goes through `escape`. Table and say() do it themselves, so that no
// command can forget.

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace synapsex::cli {

// Makes what a terminal would obey, or an eye would miss, visible: control characters (C0, C1),
// line breaks, bidirectional overrides and invisible characters become \u{9b}, bytes that are no
// UTF-8 become \xff. Everything else stays.
std::string escape(std::string_view text);

// The same for a JSON document, by JSON's own \u escapes: the value of the document stays. Line
// breaks and tabs between tokens stay too.
std::string escape_json(std::string_view json);

// Columns that escaped text takes.
std::size_t display_width(std::string_view text);

// The longest beginning of escaped text that fits, with "…" where something was cut.
std::string cut_to_width(std::string_view text, std::size_t columns);

enum class Style { plain, bold, dim, good, warning, bad, busy };
enum class Colors { off, on };

// The text between the codes that style and un-style it; the text alone for plain or Colors::off.
std::string styled(std::string_view text, Style style, Colors colors);

// "Removed {} ({})." with each {} replaced by an escaped value, in order. The pattern is our own.
std::string sentence(std::string_view pattern, std::initializer_list<std::string_view> values);

// How a shell finds the program that was called like this: a path as it is, quoted if need be; the
// name alone for what stands in PATH.
std::string name_in_shell(std::string_view called);

}  // namespace synapsex::cli

#pragma once

// Columns for people: aligned by what the terminal shows, not by bytes, and fitted into its width.
// Cells are escaped here.

#include <string>
#include <vector>

#include "controlplane/cli/terminal.hpp"

namespace synapsex::cli {

enum class Align { left, right };

// What a column does where the table is too wide: columns leave in the order of `leaves`, equal
// numbers together, until the others would fit at their least widths; then, in the same order, as
// many of the others as it takes are shortened. Where all that is not enough, those that may be
// shortened get less than their least.
struct Fit {
    std::size_t width_min = 0;  // 0: never shortened
    int leaves = 0;             // 0: never leaves, and is shortened last
};

struct Column {
    std::string title;
    Align align = Align::left;
    Fit fit{};
};

struct Cell {
    std::string text;
    Style style = Style::plain;

    Cell() = default;
    Cell(std::string content, Style look = Style::plain) : text(std::move(content)), style(look) {}
    Cell(const char* content) : text(content) {}
};

class Table {
 public:
    explicit Table(std::vector<Column> columns);
    // Two columns without titles: what something is called, and what it is.
    static Table of_facts();

    // As many cells as there are columns; missing ones are empty.
    void add(std::vector<Cell> cells);
    bool empty() const { return rows_.empty(); }
    std::size_t size() const { return rows_.size(); }
    // Facts have none.
    bool has_titles() const;

    // The lines, titles first if there are any, without line ends. Nothing is wider than
    // `columns_max`: columns leave and are shortened as their Fit says, and where that is not
    // enough, lines are cut. 0 is no limit.
    std::vector<std::string> lines(Colors colors, std::size_t columns_max = 0) const;

 private:
    // 0: nothing of the column is shown.
    std::vector<std::size_t> widths() const;
    std::vector<std::size_t> widths_within(std::size_t columns_max) const;
    std::size_t width_least(std::size_t column, std::size_t width) const;
    void shorten(std::vector<std::size_t>& widths, std::size_t columns_max) const;
    std::string line(
        const std::vector<Cell>& cells,
        const std::vector<std::size_t>& widths,
        Colors colors,
        std::size_t columns_max
    ) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace synapsex::cli

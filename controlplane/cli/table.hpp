#pragma once

// Columns for people: aligned by what the terminal shows, not by bytes. Cells are escaped here.

#include <string>
#include <vector>

#include "controlplane/cli/terminal.hpp"

namespace synapsex::cli {

enum class Align { left, right };

struct Column {
    std::string title;
    Align align = Align::left;
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

    // The lines, titles first unless all are empty, without line ends. Nothing is wider than
    // `columns_max`; 0 is no limit.
    std::vector<std::string> lines(Colors colors, std::size_t columns_max = 0) const;

 private:
    std::vector<std::size_t> widths() const;
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

#include "controlplane/cli/table.hpp"

#include <algorithm>
#include <limits>

namespace synapsex::cli {

namespace {

constexpr std::size_t kGapColumns = 2;

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

Table Table::of_facts() { return Table{{Column{}, Column{}}}; }

void Table::add(std::vector<Cell> cells) {
    cells.resize(columns_.size());
    for (auto& cell : cells) cell.text = escape(cell.text);
    rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        auto width = display_width(columns_[i].title);
        for (const auto& row : rows_) width = std::max(width, display_width(row[i].text));
        widths.push_back(width);
    }
    return widths;
}

std::string Table::line(
    const std::vector<Cell>& cells,
    const std::vector<std::size_t>& widths,
    Colors colors,
    std::size_t columns_max
) const {
    std::string out;
    std::size_t used = 0;
    std::size_t owed = 0;  // blanks, written only once something follows them
    for (std::size_t i = 0; i < cells.size() && used + owed < columns_max; ++i) {
        const auto text = cut_to_width(cells[i].text, columns_max - used - owed);
        const auto width = display_width(text);
        const auto blanks = widths[i] - std::min(widths[i], width);
        const bool is_right = columns_[i].align == Align::right;
        if (!text.empty()) {
            const auto wanted = owed + (is_right ? blanks : 0);
            const auto before = std::min(wanted, columns_max - used - width);
            out += std::string(before, ' ') + styled(text, cells[i].style, colors);
            used += before + width;
            owed = 0;
        }
        owed += kGapColumns + (text.empty() ? widths[i] : is_right ? 0 : blanks);
    }
    return out;
}

std::vector<std::string> Table::lines(Colors colors, std::size_t columns_max) const {
    if (columns_max == 0) columns_max = std::numeric_limits<std::size_t>::max();
    const auto widths_of_all = widths();
    std::vector<std::string> lines;
    std::vector<Cell> titles;
    for (const auto& column : columns_) titles.emplace_back(column.title, Style::dim);
    if (!std::ranges::all_of(columns_, [](const Column& c) { return c.title.empty(); }))
        lines.push_back(line(titles, widths_of_all, colors, columns_max));
    for (const auto& row : rows_) lines.push_back(line(row, widths_of_all, colors, columns_max));
    return lines;
}

}  // namespace synapsex::cli

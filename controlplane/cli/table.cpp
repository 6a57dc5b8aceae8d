#include "controlplane/cli/table.hpp"

#include <algorithm>
#include <limits>

namespace synapsex::cli {

namespace {

constexpr std::size_t kGapColumns = 2;

std::size_t width_of_line(const std::vector<std::size_t>& widths) {
    std::size_t sum = 0;
    for (const auto width : widths)
        if (width > 0) sum += width + (sum > 0 ? kGapColumns : 0);
    return sum;
}

int last_to_leave(const std::vector<Column>& columns) {
    int last = 0;
    for (const auto& column : columns) last = std::max(last, column.fit.leaves);
    return last;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

Table Table::of_facts() { return Table{{Column{}, Column{}}}; }

void Table::add(std::vector<Cell> cells) {
    cells.resize(columns_.size());
    for (auto& cell : cells) cell.text = escape(cell.text);
    rows_.push_back(std::move(cells));
}

bool Table::has_titles() const {
    return !std::ranges::all_of(columns_, [](const Column& c) { return c.title.empty(); });
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

std::size_t Table::width_least(std::size_t column, std::size_t width) const {
    const auto least = columns_[column].fit.width_min;
    return least == 0 ? width : std::min(width, least);
}

std::vector<std::size_t> Table::widths_within(std::size_t columns_max) const {
    auto widths = this->widths();
    const auto fits_at_least_widths = [&] {
        auto least = widths;
        for (std::size_t i = 0; i < least.size(); ++i) least[i] = width_least(i, least[i]);
        return width_of_line(least) <= columns_max;
    };
    for (int leaves = 1; leaves <= last_to_leave(columns_) && !fits_at_least_widths(); ++leaves)
        for (std::size_t i = 0; i < widths.size(); ++i)
            if (columns_[i].fit.leaves == leaves) widths[i] = 0;
    shorten(widths, columns_max);
    return widths;
}

void Table::shorten(std::vector<std::size_t>& widths, std::size_t columns_max) const {
    const auto give = [&](std::size_t column, std::size_t least) {
        const auto width = width_of_line(widths);
        if (width <= columns_max) return;
        widths[column] -= std::min(widths[column] - least, width - columns_max);
    };
    const int turns = last_to_leave(columns_) + 1;
    for (int turn = 1; turn <= turns; ++turn)  // 0, what never leaves, comes last
        for (std::size_t i = 0; i < widths.size(); ++i)
            if (columns_[i].fit.leaves == turn % turns) give(i, width_least(i, widths[i]));
    for (std::size_t i = 0; i < widths.size(); ++i)
        if (columns_[i].fit.width_min > 0 && widths[i] > 0) give(i, 1);
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
        if (widths[i] == 0) continue;
        const auto room = std::min(widths[i], columns_max - used - owed);
        const auto text = cut_to_width(cells[i].text, room);
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
    const auto widths = widths_within(columns_max);
    std::vector<std::string> lines;
    std::vector<Cell> titles;
    for (const auto& column : columns_) titles.emplace_back(column.title, Style::dim);
    if (has_titles()) lines.push_back(line(titles, widths, colors, columns_max));
    for (const auto& row : rows_) lines.push_back(line(row, widths, colors, columns_max));
    return lines;
}

}  // namespace synapsex::cli

#include "controlplane/platform/db/appended.hpp"

#include <algorithm>
#include <ranges>

#include "controlplane/platform/db/database.hpp"

namespace synapsex::db {

void Appended::add(const std::vector<AppendedLine>& lines) {
    for (const auto& line : lines) {
        auto& row = row_for(line);
        ++row.lines;
        row.text += line.line;
        row.text += '\n';
    }
}

Appended::Row& Appended::row_for(const AppendedLine& line) {
    // The last one, so that a tenant's lines stay in their order.
    const auto newest_first = std::views::reverse(rows_);
    const auto found = std::ranges::find_if(newest_first, [&](const Row& row) {
        return row.insert == line.insert && row.tenant == line.tenant;
    });
    if (found != newest_first.end() && found->text.size() + line.line.size() < kAppendedBytesMax)
        return *found;
    return rows_.emplace_back(Row{line.insert, line.tenant, 0, {}});
}

void Appended::write(Session& session) {
    for (const auto& row : rows_) session.execute(*row.insert, row.tenant, row.lines, row.text);
    rows_.clear();
}

}  // namespace synapsex::db

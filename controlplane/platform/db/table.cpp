#include "controlplane/platform/db/table.hpp"

#include <stdexcept>

namespace synapsex::db {

namespace {

// 100,000
std::string group_thousands(std::int64_t number) {
    auto digits = std::to_string(number);
    for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3)
        digits.insert(static_cast<std::size_t>(place), ",");
    return digits;
}

std::string describe(std::chrono::seconds time) {
    using std::chrono::days;
    using std::chrono::hours;
    if (time > days{1} && time % days{1} == time.zero())
        return std::to_string(time / days{1}) + " days";
    if (time >= hours{1} && time % hours{1} == time.zero())
        return std::to_string(time / hours{1}) + " h";
    return std::to_string(time.count()) + " s";
}

// Whether the text had the placeholder.
bool fill(std::string& text, std::string_view placeholder, const std::string& value) {
    const auto place = text.find(placeholder);
    if (place == text.npos) return false;
    text.replace(place, placeholder.size(), value);
    return true;
}

}  // namespace

std::string describe_kept(const Table& table) {
    std::string text{table.kept};
    const bool has_time = table.kept_for > table.kept_for.zero();
    const bool has_rows = table.rows_max > 0;
    const bool tells_time = fill(text, "{time}", describe(table.kept_for));
    const bool tells_rows = fill(text, "{rows}", group_thousands(table.rows_max));
    if (tells_time != has_time || tells_rows != has_rows)
        throw std::logic_error(std::string{table.name} + ": the words and the limits differ");
    return text;
}

}  // namespace synapsex::db

#include "controlplane/platform/db/dialect.hpp"

#include <algorithm>
#include <stdexcept>

namespace synapsex::db {

namespace {

bool takes_word(std::string_view spelling) { return spelling.find('@') != spelling.npos; }

void append_spelled(std::string& out, std::string_view spelling, std::string_view word) {
    for (const char c : spelling) {
        if (c == '@') out += word;
        else out += c;
    }
}

}  // namespace

std::string spell(std::string_view text, Dialect dialect) {
    std::string out;
    out.reserve(text.size());
    while (true) {
        const auto start = text.find("${");
        out += text.substr(0, start);
        if (start == text.npos) return out;
        text.remove_prefix(start + 2);
        const auto inside = text.substr(0, text.find('}'));
        const auto name = inside.substr(0, inside.find(' '));
        const auto word = inside.substr(std::min(name.size() + 1, inside.size()));
        const auto spelling = std::ranges::find(dialect, name, &Spelling::first);
        const bool is_known = spelling != dialect.end() && inside.size() < text.size();
        if (!is_known || word.empty() == takes_word(spelling->second))
            throw std::invalid_argument("unknown placeholder ${" + std::string{inside} + "}");
        append_spelled(out, spelling->second, word);
        text.remove_prefix(inside.size() + 1);
    }
}

}  // namespace synapsex::db

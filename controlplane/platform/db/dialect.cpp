#include "controlplane/platform/db/dialect.hpp"

#include <algorithm>
#include <stdexcept>

namespace synapsex::db {

std::string spell(std::string_view text, Dialect dialect) {
    std::string out;
    out.reserve(text.size());
    while (true) {
        const auto start = text.find("${");
        out += text.substr(0, start);
        if (start == text.npos) return out;
        text.remove_prefix(start + 2);
        const auto name = text.substr(0, text.find('}'));
        const auto spelling = std::ranges::find(dialect, name, &Spelling::first);
        if (spelling == dialect.end() || name.size() == text.size())
            throw std::invalid_argument("unknown placeholder ${" + std::string{name} + "}");
        out += spelling->second;
        text.remove_prefix(name.size() + 1);
    }
}

}  // namespace synapsex::db

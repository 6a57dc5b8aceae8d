#pragma once

// What transactions left with Session::append, gathered into rows: one for all of a commit where it
// can be.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/db/query.hpp"

namespace synapsex::db {

class Session;

// Of one row; a longer line has a row of its own.
inline constexpr std::size_t kAppendedBytesMax = 256 * 1024;

struct AppendedLine {
    const Query* insert;
    std::string tenant;
    std::string line;
};

class Appended {
 public:
    void add(const std::vector<AppendedLine>& lines);
    // Runs their INSERTs, and forgets them. Throws as Session::execute does.
    void write(Session& session);
    void clear() { rows_.clear(); }

 private:
    struct Row {
        const Query* insert;
        std::string tenant;
        std::int64_t lines = 0;
        std::string text;
    };
    Row& row_for(const AppendedLine& line);

    std::vector<Row> rows_;
};

}  // namespace synapsex::db

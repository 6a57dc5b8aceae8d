#pragma once

// Every SQL statement of the spool. No rules: SpoolFile has those.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/spool/spool_file.hpp"

namespace synapsex::agent {

class SpoolFile::Store {
 public:
    // A file that is there already is read and not written to: its disk may be full.
    Store(const std::filesystem::path& path, const std::string& vfs);

    // All or none. What is new of them: slots that were there stay as they are.
    Backlog insert(const std::vector<EncodedSample>& samples, Durability durability);
    std::vector<EncodedSample> oldest(std::size_t samples_max);
    Backlog total();
    // All or none. What there was of them.
    Backlog erase(const std::vector<std::int64_t>& slots);
    // Gives some of what was erased back to the file system.
    void shrink();

    std::uint64_t number(std::string_view name);
    std::string text(std::string_view name);
    void set_number(
        std::string_view name, std::uint64_t value, Durability durability = Durability::cached
    );
    void set_text(std::string_view name, std::string_view value);

 private:
    void set_durability(Durability durability);

    sqlite::Connection connection_;
    sqlite::Statement insert_;
    sqlite::Statement set_;
};

}  // namespace synapsex::agent

#pragma once

// Every SQL statement of the spool. No rules and no locks: Spool has those.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/spool/spool.hpp"

namespace synapsex::agent {

class Spool::Store {
 public:
    explicit Store(const std::filesystem::path& path);

    bool insert(const EncodedSample& sample);  // false: the slot was there
    std::vector<EncodedSample> oldest(std::size_t samples_max);
    Backlog total();
    // Of the slots from `first` to `last`, both included.
    Backlog total(std::int64_t first, std::int64_t last);
    void erase(std::int64_t first, std::int64_t last);

    std::uint64_t number(std::string_view name);
    std::string text(std::string_view name);
    void set_number(std::string_view name, std::uint64_t value);
    void set_text(std::string_view name, std::string_view value);
    // As set_number, and on the disk itself when it returns.
    void set_number_durably(std::string_view name, std::uint64_t value);

 private:
    sqlite::Connection connection_;
    sqlite::Statement insert_;
    sqlite::Statement set_;
};

}  // namespace synapsex::agent

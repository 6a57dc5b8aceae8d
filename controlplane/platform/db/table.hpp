#pragma once

// What a table holds over time, as data: module.cpp declares the tables of its service, the
// platform's stand beside their migrations. Tests hold the lists against what the migrations make,
// and docs/operating.md against the lists.
//
//   constexpr std::array kTables{
//       db::Table{
//           .name = "vm_registry_chunks",
//           .growth = db::Growth::growing,
//           .kept_for = kTelemetryRetention,
//           .kept = "{time} back from the newest sample",
//           .pruner = "vm_registry.prune_telemetry",
//       },
//   };

#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace synapsex::db {

enum class Growth {
    bounded,  // by what people made and did not remove, or by a limit that writes keep to
    growing,  // with time, whatever anybody does: it has a pruner
    lasting,  // with time, and nothing prunes it: what is there stays
};
BOOST_DESCRIBE_ENUM(Growth, bounded, growing, lasting)

struct Table {
    std::string_view name;
    Growth growth;
    // The limits that the service really goes by, where it has one of these kinds.
    std::chrono::seconds kept_for{};
    std::int64_t rows_max = 0;
    std::string_view kept;      // in words, with {time} and {rows} for the limits
    std::string_view pruner{};  // the name of a task of the same owner
};

// "30 days back from the newest sample". Throws std::logic_error where a limit is declared and not
// told, or told and not declared.
std::string describe_kept(const Table& table);

}  // namespace synapsex::db

#pragma once

// How much room the disk of a database has left, as those who write into it go by it.

#include <boost/describe.hpp>

namespace synapsex::db {

enum class Room {
    plenty,
    low,       // telemetry waits where it is made
    critical,  // events are left out, too; changes, audit records and deletions go on
};
BOOST_DESCRIBE_ENUM(Room, plenty, low, critical)

}  // namespace synapsex::db

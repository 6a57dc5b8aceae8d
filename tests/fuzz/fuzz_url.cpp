// Addresses that somebody else wrote: those of databases, and those that requests are sent to. What
// is let through over clear text goes to this machine.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "controlplane/platform/db/database_url.hpp"
#include "shared/net/url_rules.hpp"

using namespace synapsex;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string url{reinterpret_cast<const char*>(data), size};
    if (const auto database = db::parse_database_url(url)) {
        const auto* sqlite = std::get_if<db::SqliteOptions>(&*database);
        if (sqlite && !sqlite->path.is_absolute()) std::abort();
    } else if (database.error().code != "database_url.invalid") {
        std::abort();
    }
    if (net::check_url(url)) {
        // Who reads it otherwise than we do must not find another host before an @.
        const auto start = url.find("://") + 3;
        const auto authority = url.substr(start, url.find_first_of("/?#\\", start) - start);
        if (authority.find('@') != authority.npos) std::abort();
    }
    return 0;
}

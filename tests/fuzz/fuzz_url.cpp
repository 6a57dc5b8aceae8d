// Addresses that somebody else wrote: those of databases, and those that requests are sent to. What
// is let through over clear text goes to this machine; what a tenant's URL was judged as, it stays.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "controlplane/platform/db/database_url.hpp"
#include "shared/net/egress_policy.hpp"
#include "shared/net/url_rules.hpp"

using namespace synapsex;

namespace {

// The spelling that is sent has the same host for its next reader, and libcurl finds no other.
void check_egress(const std::string& url) {
    static const net::EgressPolicy kPolicy{{.clear_text = net::ClearText::to_allowed}};
    const auto outbound = kPolicy.judge(url);
    if (!outbound) return;
    const auto again = kPolicy.judge(outbound->url);
    const auto read = net::split_url(outbound->url);
    if (!again || !read || again->url != outbound->url || again->host != outbound->host ||
        again->port != outbound->port || again->address != outbound->address)
        std::abort();
    const auto is_v6 = outbound->address && !outbound->address->is_v4();
    if (read->host != (is_v6 ? "[" + outbound->host + "]" : outbound->host)) std::abort();
}

}  // namespace

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
    check_egress(url);
    return 0;
}

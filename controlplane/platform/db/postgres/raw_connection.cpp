#include "controlplane/platform/db/postgres/raw_connection.hpp"

namespace synapsex::db {

namespace {

// What the operator wrote decides; otherwise a server that is gone is noticed within seconds.
std::string with_defaults(std::string url) {
    for (const std::string_view setting :
         {"connect_timeout=5", "application_name=synapsex", "keepalives_idle=30",
          "tcp_user_timeout=15000", "client_encoding=UTF8"}) {
        if (url.find(setting.substr(0, setting.find('=') + 1)) != url.npos) continue;
        url += url.find('?') == url.npos ? '?' : '&';
        url += setting;
    }
    return url;
}

}  // namespace

RawConnection::RawConnection(const std::string& url)
    : connection(with_defaults(url)), quiet(connection) {
    // A connection made anew would go on outside of the transaction, or listen to nothing.
    // libpqxx 7 has no such thing, hence the warning.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

}  // namespace synapsex::db

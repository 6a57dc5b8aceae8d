#include "controlplane/platform/db/database_url.hpp"

namespace synapsex::db {

Result<DatabaseOptions> parse_database_url(std::string_view url) {
    if (url.starts_with("postgresql://") || url.starts_with("postgres://"))
        return PostgresOptions{.url = std::string{url}};
    constexpr std::string_view kScheme = "sqlite://";
    const auto path = url.starts_with(kScheme) ? url.substr(kScheme.size()) : std::string_view{};
    const bool is_plain = path.find_first_of(std::string_view{"?#%\0", 4}) == path.npos;
    if (path.size() < 2 || path.front() != '/' || path.back() == '/' || !is_plain)
        return Problem{
            .kind = Kind::invalid,
            .code = "database_url.invalid",
            .detail = "A database URL is sqlite:///absolute/path, without ?, # and %, or "
                      "postgresql://user:password@host/database.",
        };
    return SqliteOptions{.path = path};
}

}  // namespace synapsex::db

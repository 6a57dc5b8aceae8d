#include "controlplane/platform/db/database_url.hpp"

#include <gtest/gtest.h>

namespace synapsex::db {
namespace {

std::string refusal_of(std::string_view url) {
    const auto options = parse_database_url(url);
    return options ? "accepted" : options.error().code;
}

TEST(DatabaseUrl, an_absolute_path_names_a_sqlite_file) {
    for (const std::string path : {"/var/lib/x.db", "/a folder/ä.db"}) {
        const auto options = parse_database_url("sqlite://" + path);
        ASSERT_TRUE(options && std::holds_alternative<SqliteOptions>(*options));
        EXPECT_EQ(std::get<SqliteOptions>(*options).path, path);
    }
}

TEST(DatabaseUrl, anything_else_is_refused) {
    for (const auto* url : {
             "",
             "sqlite:",
             "sqlite://",
             "sqlite:///",
             "sqlite://x.db",
             "sqlite:///folder/",
             "sqlite:///x.db?mode=ro",
             "sqlite:///x.db#a",
             "sqlite:///a%20b.db",
             "/x.db",
             "SQLITE:///x.db",
             "mysql://root@host/x",
         })
        EXPECT_EQ(refusal_of(url), "database_url.invalid") << url;
    EXPECT_EQ(refusal_of(std::string_view{"sqlite:///x\0.db", 15}), "database_url.invalid");
}

TEST(DatabaseUrl, of_postgresql_is_taken_as_it_is) {
    for (const std::string url :
         {"postgresql://me:secret@db/x", "postgres://db/x?sslmode=verify-full"}) {
        const auto options = parse_database_url(url);
        ASSERT_TRUE(options && std::holds_alternative<PostgresOptions>(*options));
        EXPECT_EQ(std::get<PostgresOptions>(*options).url, url);
    }
}

}  // namespace
}  // namespace synapsex::db

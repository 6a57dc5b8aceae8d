#include "controlplane/platform/db/database_url.hpp"

#include <gtest/gtest.h>

namespace synapsex::db {
namespace {

std::string refusal_of(std::string_view url) {
    const auto options = parse_database_url(url);
    return options ? "accepted" : options.error().code;
}

TEST(DatabaseUrl, an_absolute_path_names_a_sqlite_file) {
    EXPECT_EQ(parse_database_url("sqlite:///var/lib/x.db").value().path, "/var/lib/x.db");
    EXPECT_EQ(parse_database_url("sqlite:///a folder/ä.db").value().path, "/a folder/ä.db");
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

TEST(DatabaseUrl, postgresql_is_told_to_be_not_yet_there_without_repeating_the_password) {
    for (const auto* url : {"postgresql://me:secret@db/x", "postgres://me:secret@db/x"}) {
        const auto options = parse_database_url(url);
        ASSERT_FALSE(options);
        EXPECT_EQ(options.error().code, "database_url.unsupported");
        EXPECT_NE(options.error().detail.find("not yet in this release"), std::string::npos);
        EXPECT_EQ(options.error().detail.find("secret"), std::string::npos);
    }
}

}  // namespace
}  // namespace synapsex::db

#include "controlplane/platform/db/postgres/placeholders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace synapsex::db {
namespace {

std::string typed(std::string_view sql, std::vector<Value> values) {
    return with_types(sql, values);
}

TEST(Placeholders, get_the_type_of_the_bound_value) {
    const std::vector<Value> values{
        to_value("a"), to_value(7), to_value(true), to_value(0.5), to_value(Blob{"x"})};
    EXPECT_EQ(
        with_types("SELECT $1, $2, $3, $4, $5", values),
        "SELECT $1::text, $2::bigint, $3::boolean, $4::double precision, $5::bytea"
    );
}

TEST(Placeholders, of_nothing_keep_their_type) {
    EXPECT_EQ(typed("SELECT $1", {to_value(std::optional<int>{})}), "SELECT $1::bigint");
}

TEST(Placeholders, may_be_used_twice_and_in_any_order) {
    EXPECT_EQ(
        typed("UPDATE t SET a = $2, b = $2 WHERE id = $1", {to_value("x"), to_value(1)}),
        "UPDATE t SET a = $2::bigint, b = $2::bigint WHERE id = $1::text"
    );
}

TEST(Placeholders, of_two_digits_are_one_parameter) {
    const std::vector<Value> values(11, to_value(1));
    EXPECT_THAT(
        with_types("$1 $2 $3 $4 $5 $6 $7 $8 $9 $10 $11", values),
        ::testing::EndsWith(" $9::bigint $10::bigint $11::bigint")
    );
}

TEST(Placeholders, in_quotes_and_comments_are_none) {
    EXPECT_EQ(
        typed("SELECT '$2', 'it''s $3', \"$4\", $1 -- $5\n/* $6 */", {to_value(1)}),
        "SELECT '$2', 'it''s $3', \"$4\", $1::bigint -- $5\n/* $6 */"
    );
    EXPECT_EQ(
        typed("SELECT 2 - $1 / $2", {to_value(1), to_value(2)}),
        "SELECT 2 - $1::bigint / $2::bigint"
    );
}

TEST(Placeholders, without_a_value_and_values_without_one_are_refused) {
    EXPECT_THROW(typed("SELECT $2", {to_value(1)}), DatabaseError);
    EXPECT_THROW(typed("SELECT $0", {to_value(1)}), DatabaseError);
    EXPECT_THROW(typed("SELECT $", {}), DatabaseError);
    EXPECT_THROW(typed("SELECT 1", {to_value(1)}), DatabaseError);
}

}  // namespace
}  // namespace synapsex::db

#include "controlplane/cli/terminal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/cli/table.hpp"

namespace synapsex::cli {
namespace {

using ::testing::ElementsAre;

TEST(Escape, leaves_what_people_write_in_any_script) {
    for (const std::string text :
         {"web-1", "", "Zoë", "東京", "Ωmega", "می‌خواهم", "👩‍💻", "C:\\temp", "a\u00A0b"})
        EXPECT_EQ(escape(text), text);
}

TEST(Escape, makes_control_characters_visible) {
    EXPECT_EQ(escape("a\x1b[2Jb"), "a\\u{1b}[2Jb");
    EXPECT_EQ(escape("line\nline\r\tend"), "line\\nline\\u{d}\\tend");
    EXPECT_EQ(escape(std::string_view{"nul\0!", 5}), "nul\\u{0}!");
    EXPECT_EQ(escape("\x7f"), "\\u{7f}");
    EXPECT_EQ(escape("\u009b31m"), "\\u{9b}31m") << "C1: the other way to write ESC [";
    EXPECT_EQ(escape("\u0085"), "\\u{85}");
}

TEST(Escape, makes_bidirectional_overrides_and_invisible_characters_visible) {
    EXPECT_EQ(escape("\u202Egnp.exe"), "\\u{202e}gnp.exe");
    EXPECT_EQ(escape("a\u2066b\u2069"), "a\\u{2066}b\\u{2069}");
    EXPECT_EQ(escape("\u200Fa\u061C"), "\\u{200f}a\\u{61c}");
    EXPECT_EQ(escape("we\u200Bb"), "we\\u{200b}b");
    EXPECT_EQ(escape("\uFEFFa\u2028b\u2029"), "\\u{feff}a\\u{2028}b\\u{2029}");
    EXPECT_EQ(escape("\U000E0041"), "\\u{e0041}") << "tags: text that nobody sees";
    EXPECT_EQ(escape("\uFFFE"), "\\u{fffe}");
}

TEST(Escape, shows_bytes_that_are_no_utf8) {
    EXPECT_EQ(escape("\xff" "a"), "\\xffa");
    EXPECT_EQ(escape("\xc0\x9b"), "\\xc0\\x9b") << "overlong";
    EXPECT_EQ(escape("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
    EXPECT_EQ(escape("caf\xc3"), "caf\\xc3");
    EXPECT_EQ(escape("\x9b" "31m"), "\\x9b31m") << "C1 as 8-bit terminals take it";
}

TEST(EscapeJson, keeps_the_value_and_loses_the_danger) {
    EXPECT_EQ(escape_json("{\"a\": \"\u009b\u202e\"}\n"), "{\"a\": \"\\u009b\\u202e\"}\n");
    EXPECT_EQ(escape_json("\"\U000E0041\""), "\"\\udb40\\udc41\"") << "a surrogate pair";
    EXPECT_EQ(escape_json("\"\x7f\xff\""), "\"\\u007f\\ufffd\"");
    EXPECT_EQ(escape_json("[\n\t\"é\"\r\n]"), "[\n\t\"é\"\r\n]");
}

TEST(DisplayWidth, counts_columns_not_bytes) {
    EXPECT_EQ(display_width("abc"), 3u);
    EXPECT_EQ(display_width("é"), 1u);
    EXPECT_EQ(display_width("e\u0301"), 1u) << "a combining accent takes none";
    EXPECT_EQ(display_width("東京"), 4u);
    EXPECT_EQ(display_width("한국"), 4u);
    EXPECT_EQ(display_width("🚀"), 2u);
    EXPECT_EQ(display_width("…"), 1u);
    EXPECT_EQ(display_width("\xff"), 1u);
}

TEST(CutToWidth, never_takes_more_columns_than_it_may) {
    EXPECT_EQ(cut_to_width("abc", 3), "abc");
    EXPECT_EQ(cut_to_width("abcd", 3), "ab…");
    EXPECT_EQ(cut_to_width("東京都", 4), "東…") << "half a character would be none";
    EXPECT_EQ(cut_to_width("東京都", 1), "…");
    EXPECT_EQ(cut_to_width("abc", 0), "");
}

TEST(Styled, writes_no_codes_where_colors_are_off) {
    EXPECT_EQ(styled("online", Style::good, Colors::off), "online");
    EXPECT_EQ(styled("online", Style::good, Colors::on), "\x1b[32monline\x1b[0m");
    EXPECT_EQ(styled("online", Style::plain, Colors::on), "online");
}

TEST(Sentence, escapes_its_values_and_does_not_look_into_them) {
    EXPECT_EQ(sentence("{} and {}.", {"a\n", "{}"}), "a\\n and {}.");
    EXPECT_EQ(sentence("{} {}", {"one"}), "one ");
    EXPECT_EQ(sentence("plain", {}), "plain");
}

TEST(NameInShell, is_what_finds_the_program_again) {
    EXPECT_EQ(name_in_shell("synapsexctl"), "synapsexctl");
    EXPECT_EQ(name_in_shell(""), "synapsexctl");
    EXPECT_EQ(name_in_shell(".quickstart/synapsexctl"), ".quickstart/synapsexctl");
    EXPECT_EQ(name_in_shell("/a fresh/it's"), "'/a fresh/it'\\''s'");
}

TEST(Table, aligns_by_what_is_shown) {
    Table table{{{"NAME"}, {"LOAD", Align::right}, {"ID"}}};
    table.add({{"東京"}, {"0.42"}, {"vm_1"}});
    table.add({{"web"}, {"12.00"}, {"vm_2"}});
    EXPECT_THAT(
        table.lines(Colors::off),
        ElementsAre("NAME   LOAD  ID", "東京   0.42  vm_1", "web   12.00  vm_2")
    );
}

TEST(Table, styles_the_text_and_not_the_blanks) {
    Table table{{{"STATE"}, {"ID"}}};
    table.add({{"late", Style::warning}, {"1"}});
    EXPECT_EQ(table.lines(Colors::on).at(1), "\x1b[33mlate\x1b[0m   1");
}

TEST(Table, escapes_every_cell) {
    Table table{{{"NAME"}}};
    table.add({{"x\x1b]0;title\x07"}});
    EXPECT_EQ(table.lines(Colors::on).at(1), "x\\u{1b}]0;title\\u{7}");
}

TEST(Table, leaves_no_blanks_at_the_end_of_lines) {
    Table table{{{"A"}, {"B"}, {"C"}}};
    table.add({{"long text"}, {""}, {""}});
    table.add({{"x"}, {"y"}});
    EXPECT_THAT(
        table.lines(Colors::off), ElementsAre("A          B  C", "long text", "x          y")
    );
}

TEST(Table, fits_into_the_columns_that_there_are) {
    Table table{{{"NAME"}, {"STATE", Align::right}}};
    table.add({{"abcdefgh"}, {"online"}});
    for (std::size_t columns = 1; columns < 20; ++columns)
        for (const auto& line : table.lines(Colors::off, columns))
            EXPECT_LE(display_width(line), columns) << line;
    EXPECT_THAT(table.lines(Colors::off, 13), ElementsAre("NAME      ST…", "abcdefgh  on…"));
}

Table table_that_yields() {
    Table table{
        {{"NAME", Align::left, {.width_min = 6}},
         {"OS", Align::left, {.width_min = 4, .leaves = 2}},
         {"CPUS", Align::right, {.leaves = 1}},
         {"MEM", Align::right, {.leaves = 1}},
         {"ID"}}};
    table.add({{"web-server-1"}, {"Debian"}, {"4"}, {"8"}, {"vm_123456"}});
    return table;
}

TEST(Table, shows_everything_where_there_is_room) {
    const std::vector<std::string> whole{
        "NAME          OS      CPUS  MEM  ID",
        "web-server-1  Debian     4    8  vm_123456"};
    EXPECT_EQ(table_that_yields().lines(Colors::off), whole);
    EXPECT_EQ(table_that_yields().lines(Colors::off, 42), whole);
}

TEST(Table, shortens_what_may_be_shortened_the_less_important_first) {
    EXPECT_THAT(
        table_that_yields().lines(Colors::off, 40),
        ElementsAre(
            "NAME          OS    CPUS  MEM  ID", "web-server-1  Deb…     4    8  vm_123456"
        )
    );
    EXPECT_THAT(
        table_that_yields().lines(Colors::off, 36),
        ElementsAre("NAME      OS    CPUS  MEM  ID", "web-ser…  Deb…     4    8  vm_123456")
    );
}

TEST(Table, leaves_the_less_important_columns_out_where_shortening_is_not_enough) {
    EXPECT_THAT(
        table_that_yields().lines(Colors::off, 33),
        ElementsAre("NAME          OS      ID", "web-server-1  Debian  vm_123456")
    ) << "both that leave first";
    EXPECT_THAT(
        table_that_yields().lines(Colors::off, 22),
        ElementsAre("NAME         ID", "web-server…  vm_123456")
    );
    EXPECT_THAT(
        table_that_yields().lines(Colors::off, 17),
        ElementsAre("NAME    ID", "web-s…  vm_123456")
    );
    EXPECT_THAT(
        table_that_yields().lines(Colors::off, 14), ElementsAre("NA…  ID", "we…  vm_123456")
    ) << "the id whole as long as anything else can be shortened";
}

TEST(Table, cuts_lines_where_nothing_else_is_left) {
    for (std::size_t columns = 1; columns < 60; ++columns)
        for (const auto& line : table_that_yields().lines(Colors::off, columns))
            EXPECT_LE(display_width(line), columns) << line;
}

TEST(Table, shows_facts_without_titles) {
    auto facts = Table::of_facts();
    facts.add({{"Name"}, {"web-1"}});
    facts.add({{"Kernel"}, {"6.1"}});
    EXPECT_THAT(facts.lines(Colors::off), ElementsAre("Name    web-1", "Kernel  6.1"));
}

}  // namespace
}  // namespace synapsex::cli

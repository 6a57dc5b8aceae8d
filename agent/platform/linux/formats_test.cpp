// The readers of foreign text, one by one: what is well formed, and what is not.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "agent/platform/linux/dpkg.hpp"
#include "agent/platform/linux/fields.hpp"
#include "agent/platform/linux/fixture_tree.hpp"
#include "agent/platform/linux/line_reader.hpp"
#include "agent/platform/linux/mounts.hpp"
#include "agent/platform/linux/os_info.hpp"

namespace synapsex::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> lines_of(std::string_view content) {
    FixtureTree tree;
    tree.file("file", content);
    const Root root{tree.path()};
    LineReader reader{root.open("file")};
    std::vector<std::string> lines;
    while (const auto line = reader.next()) lines.emplace_back(*line);
    return lines;
}

TEST(LineReader, gives_lines_with_and_without_a_last_break) {
    EXPECT_THAT(lines_of(""), IsEmpty());
    EXPECT_THAT(lines_of("\n"), ElementsAre(""));
    EXPECT_THAT(lines_of("a\n\nbc"), ElementsAre("a", "", "bc"));
    EXPECT_THAT(lines_of("a\nb\n"), ElementsAre("a", "b"));
}

TEST(LineReader, cuts_long_lines_and_goes_on_with_the_next) {
    for (const std::size_t size :
         {LineReader::kLineMax - 1, LineReader::kLineMax, LineReader::kLineMax + 1,
          3 * LineReader::kLineMax + 7}) {
        const auto lines = lines_of("first\n" + std::string(size, 'x') + "\nlast\n");
        ASSERT_THAT(lines, SizeIs(3)) << size;
        EXPECT_EQ(lines[1], std::string(std::min(size, LineReader::kLineMax), 'x'));
        EXPECT_EQ(lines[2], "last");
    }
    EXPECT_THAT(lines_of(std::string(2 * LineReader::kLineMax, 'x')), SizeIs(1));
}

TEST(LineReader, keeps_lines_whole_across_its_buffer) {
    std::string content;
    for (int i = 0; i < 5000; ++i) content += "line " + std::to_string(i) + "\n";
    const auto lines = lines_of(content);
    ASSERT_THAT(lines, SizeIs(5000));
    for (std::size_t i = 0; i < lines.size(); ++i)
        ASSERT_EQ(lines[i], "line " + std::to_string(i));
}

TEST(Root, opens_regular_files_only_and_never_waits) {
    FixtureTree tree;
    tree.file("file", "content").directory("directory").link("dangling", "nowhere");
    ASSERT_EQ(::mkfifo((tree.path() + "/pipe").c_str(), 0600), 0);
    const Root root{tree.path()};
    EXPECT_EQ(root.read("file"), "content");
    EXPECT_EQ(root.read("file", 3), "con");
    for (const auto* path : {"pipe", "directory", "dangling", "missing", "file/below"})
        EXPECT_FALSE(root.open(path).is_open()) << path;
    EXPECT_THROW(Root{tree.path() + "/missing"}, std::system_error);
}

TEST(Fields, numbers_are_digits_that_fit_and_nothing_else) {
    EXPECT_EQ(parse_number("18446744073709551615"), 18446744073709551615U);
    for (const auto* text : {"", "-1", "+1", " 1", "1 ", "1x", "0x10", "18446744073709551616"})
        EXPECT_EQ(parse_number(text), std::nullopt) << text;
    EXPECT_EQ(parse_whole_part("12345.67"), 12345U);
    EXPECT_EQ(parse_whole_part("."), std::nullopt);
    EXPECT_EQ(multiply_capped(1ULL << 60, 512), ~0ULL);
}

TEST(OsRelease, values_lose_the_quotes_and_escapes_of_the_shell) {
    EXPECT_EQ(unquote_shell_value("debian"), "debian");
    EXPECT_EQ(unquote_shell_value("\"Debian GNU/Linux 12\""), "Debian GNU/Linux 12");
    EXPECT_EQ(unquote_shell_value("'single \"quotes\" \\ kept'"), "single \"quotes\" \\ kept");
    EXPECT_EQ(unquote_shell_value(R"("an \"escaped\" \$5")"), "an \"escaped\" $5");
    EXPECT_EQ(unquote_shell_value("\"unfinished"), "unfinished");
    EXPECT_EQ(unquote_shell_value("\\"), "\\");
    EXPECT_EQ(unquote_shell_value(""), "");
}

TEST(Mountinfo, reads_a_line_with_any_number_of_optional_fields) {
    const auto plain = parse_mount("27 1 254:1 / / rw - ext4 /dev/vda1 rw,errors=remount-ro");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->id, 27U);
    EXPECT_EQ(plain->device_number, "254:1");
    EXPECT_EQ(plain->type, "ext4");
    EXPECT_EQ(plain->source, "/dev/vda1");
    EXPECT_FALSE(plain->read_only);
    const auto shared = parse_mount(
        "36 35 98:0 /mnt1 /mnt\\0402 ro,noatime shared:7 master:1 unbindable - xfs /dev/a\\134b rw"
    );
    ASSERT_TRUE(shared);
    EXPECT_EQ(shared->root, "/mnt1");
    EXPECT_EQ(shared->mount_point, "/mnt 2");
    EXPECT_EQ(shared->source, "/dev/a\\b");
    EXPECT_FALSE(shared->read_only) << "a read-only view of a writable file system";
    EXPECT_TRUE(parse_mount("36 35 98:0 / /m rw - iso9660 /dev/sr0 ro,relatime")->read_only);
}

TEST(Mountinfo, refuses_lines_of_another_form) {
    for (const auto* line : {
             "", " ", "garbage", "27 1 254:1 / / rw,relatime", "27 1 254:1 / / rw -",
             "x 1 254:1 / / rw - ext4 /dev/vda1 rw", "27 1 254:1 / relative rw - ext4 /dev/vda1 rw",
             "99999999999999999999 1 254:1 / / rw - ext4 /dev/vda1 rw", "- - - - - - - -"
         })
        EXPECT_FALSE(parse_mount(line)) << line;
}

TEST(Mountinfo, decodes_octal_escapes_and_leaves_other_backslashes) {
    EXPECT_EQ(decode_octal_escapes("a\\040b\\011c\\012d\\134e"), "a b\tc\nd\\e");
    EXPECT_EQ(decode_octal_escapes("\\377"), "\xFF");
    for (const auto* text : {"\\", "\\04", "\\0", "\\999", "\\400", "plain", ""})
        EXPECT_EQ(decode_octal_escapes(text), text);
}

std::vector<std::string> packages_of(std::string_view status) {
    FixtureTree tree;
    tree.file("var/lib/dpkg/status", status);
    std::vector<std::string> packages;
    const auto manager = visit_dpkg_packages(Root{tree.path()}, [&](const PackageView& view) {
        packages.push_back(
            std::string{view.name} + " " + std::string{view.version} + " " +
            std::string{view.architecture}
        );
    });
    EXPECT_EQ(manager, "dpkg");
    return packages;
}

TEST(Dpkg, shows_what_is_installed_whatever_is_wished) {
    EXPECT_THAT(
        packages_of(
            "Package: adduser\nStatus: install ok installed\nPriority: important\nSection: admin\n"
            "Installed-Size: 685\nArchitecture: all\nMulti-Arch: foreign\nVersion: 3.134\n"
            "Conffiles:\n /etc/adduser.conf 73c10a4c54f4b5a5d0d4bd1d9b8e6a91\n"
            "Description: add and remove users and groups\n This package includes the 'adduser'\n"
            " .\n Version: is text here\n\n"
            "Package: held\nStatus: hold ok installed\nArchitecture: amd64\n"
            "Version: 1:2.0~rc1-1\n\n"
            "Package: leaving\nStatus: deinstall ok installed\nArchitecture: i386\nVersion: 1\n\n"
            "Package: removed\nStatus: deinstall ok config-files\nArchitecture: amd64\n"
            "Version: 1\n\n"
            "Package: broken\nStatus: install reinstreq half-installed\nArchitecture: amd64\n"
            "Version: 1\n\n"
            "Package: unpacked\nStatus: install ok unpacked\nArchitecture: amd64\nVersion: 1\n\n"
            "Package: last\nStatus: install ok installed\nArchitecture: arm64\nVersion: 9"
        ),
        ElementsAre("adduser 3.134 all", "held 1:2.0~rc1-1 amd64", "leaving 1 i386", "last 9 arm64")
    );
}

TEST(Dpkg, takes_packages_whose_triggers_have_still_to_run_for_installed) {
    EXPECT_THAT(
        packages_of(
            "Package: man-db\nStatus: install ok triggers-pending\nArchitecture: amd64\n"
            "Version: 2\n\n"
            "Package: git\nStatus: install ok triggers-awaited\nArchitecture: amd64\nVersion: 3\n\n"
            "Package: half\nStatus: install ok half-configured\nArchitecture: amd64\nVersion: 4\n"
        ),
        ElementsAre("man-db 2 amd64", "git 3 amd64")
    );
}

TEST(Dpkg, survives_malformed_stanzas) {
    const std::string good = "Package: good\nStatus: install ok installed\nVersion: 1\n"
                             "Architecture: all\n\n";
    for (const std::string bad : {
             "", "\n\n\n", "Package\n\n", "Package:\nStatus: install ok installed\nVersion: 1\n\n",
             "Status: install ok installed\nVersion: 1\n\n",
             "Package: x\nStatus: install ok installed\n\n", "Package: x\nStatus:\nVersion: 1\n\n",
             "Package: x\nStatus: install ok installed extra\nVersion: 1\n\n",
             "\xFF\xFE\x01 garbage\n\n", ":::::\n\n", " continuation of nothing\n\n"
         })
        EXPECT_THAT(packages_of(bad + good), ElementsAre("good 1 all")) << bad;
    const auto long_field = "Package: long\nDepends: " + std::string(100'000, 'd') +
                            "\nStatus: install ok installed\nVersion: 2\nArchitecture: all\n\n";
    EXPECT_THAT(packages_of(long_field + good), ElementsAre("long 2 all", "good 1 all"));
}

TEST(Dpkg, is_absent_elsewhere_and_its_stamp_follows_the_file) {
    FixtureTree tree;
    const Root root{tree.path()};
    EXPECT_EQ(visit_dpkg_packages(root, [](const PackageView&) { FAIL(); }), "");
    const auto absent = dpkg_stamp(root);
    EXPECT_EQ(absent, PackageStamp{});
    tree.file("var/lib/dpkg/status", "1");
    const auto first = dpkg_stamp(root);
    EXPECT_NE(first, absent);
    EXPECT_EQ(dpkg_stamp(root), first);
    tree.file("var/lib/dpkg/status", "22");
    EXPECT_NE(dpkg_stamp(root), first);
}

}  // namespace
}  // namespace synapsex::platform

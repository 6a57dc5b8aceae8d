#include "controlplane/app/backup_archive.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "controlplane/app/backup_parts.hpp"
#include "controlplane/app/start_refused.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kPassphrase = "a passphrase of many words";

class BackupArchive : public ::testing::Test {
 protected:
    std::string content() const {
        std::ifstream in{file, std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    // A sealed file of ours that holds this.
    void seal(std::string_view plain) {
        std::ofstream out{file, std::ios::binary | std::ios::trunc};
        crypto::StreamSealer sealer{
            kPassphrase, random, [&](std::string_view bytes) { out << bytes; }};
        sealer.write(plain);
        sealer.finish();
    }
    // Why the file is refused when all of it is read; empty if it is not.
    std::string refusal() {
        try {
            BackupReader reader{file, kPassphrase};
            while (!reader.next().empty()) reader.read([](std::string_view) {});
        } catch (const BackupUnreadable& refused) {
            return refused.what();
        }
        return {};
    }
    static BackupManifest some_manifest() {
        BackupManifest manifest;
        manifest.version = "1.2.3";
        manifest.issuer = "https://issuer.test";
        manifest.keys = {{"root", "abc"}};
        manifest.databases = {
            {"main", "sqlite", {"tenant", "auth"}, "inc-1", {{"auth-service", 1, "0001_x"}}}
        };
        return manifest;
    }

    static bool fits_at(std::string name, std::vector<std::string> services) {
        BackupManifest manifest = some_manifest();
        manifest.databases.push_back({"vm_registry", "sqlite", {"vm_registry"}, "", {}});
        const auto found =
            std::ranges::find(manifest.databases, name, &BackedUpDatabase::name);
        return fits(*found, {name, std::move(services), "/file.db", ""}, manifest);
    }

    testing::TemporaryFolder folder;
    testing::SeededRandom random;
    std::filesystem::path file = folder.path() / "backup";
    std::filesystem::path part = folder.path() / "backup.part";
};

TEST_F(BackupArchive, fits_the_same_services_and_those_of_a_later_release_beside_them) {
    EXPECT_TRUE(fits_at("main", {"tenant", "auth"}));
    EXPECT_TRUE(fits_at("main", {"tenant", "auth", "audit"}));
    EXPECT_FALSE(fits_at("main", {"tenant"})) << "auth has gone elsewhere";
    EXPECT_FALSE(fits_at("main", {"tenant", "auth", "vm_registry"})) << "it has its own";
    EXPECT_FALSE(fits_at("vm_registry", {"audit"}));
}

TEST_F(BackupArchive, gives_back_what_was_written_in_any_pieces) {
    const std::string large(3'000'000, 'x');
    {
        BackupWriter writer{file, kPassphrase, random};
        writer.put(some_manifest());
        writer.put("issuer", "https://issuer.test");
        writer.put("empty", "");
        writer.begin("database/main");
        for (int i = 0; i < 5; ++i) writer.write(large);
        writer.end();
        writer.finish();
        EXPECT_EQ(writer.bytes(), std::filesystem::file_size(file));
    }
    BackupReader reader{file, kPassphrase};
    EXPECT_EQ(reader.manifest().version, "1.2.3");
    EXPECT_EQ(reader.manifest().keys.at(0).key_id, "abc");
    EXPECT_THAT(reader.manifest().databases.at(0).services, ElementsAre("tenant", "auth"));
    EXPECT_EQ(reader.manifest().databases.at(0).migrations.at(0).name, "0001_x");
    EXPECT_EQ(reader.next(), "issuer");
    EXPECT_EQ(reader.read(), "https://issuer.test");
    EXPECT_EQ(reader.next(), "empty");
    EXPECT_EQ(reader.read(), "");
    EXPECT_EQ(reader.next(), "database/main");
    std::size_t size = 0;
    reader.read([&](std::string_view piece) {
        size += piece.size();
        EXPECT_LE(piece.size(), 1024U * 1024U);
    });
    EXPECT_EQ(size, 5 * large.size());
    EXPECT_EQ(reader.next(), "");
}

TEST_F(BackupArchive, is_there_when_it_is_whole_and_not_before) {
    std::ofstream{file} << "the one before";
    {
        BackupWriter writer{file, kPassphrase, random};
        writer.put(some_manifest());
        EXPECT_TRUE(std::filesystem::exists(part));
        EXPECT_THROW((BackupWriter{file, kPassphrase, random}), StartRefused) << "two at once";
        EXPECT_EQ(content(), "the one before");
    }
    EXPECT_FALSE(std::filesystem::exists(part)) << "one that was given up is gone";
    EXPECT_EQ(content(), "the one before");
    std::ofstream{part} << "what a crash has left";
    BackupWriter writer{file, kPassphrase, random};
    writer.put(some_manifest());
    writer.finish();
    EXPECT_FALSE(std::filesystem::exists(part));
    EXPECT_EQ(refusal(), "");
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(BackupArchive, a_place_that_cannot_be_written_is_told) {
    file = folder.path() / "none" / "backup";
    EXPECT_THROW((BackupWriter{file, kPassphrase, random}), StartRefused);
    // A link in the place of the part may lead anywhere.
    file = folder.path() / "backup";
    std::filesystem::create_symlink(folder.path() / "elsewhere", part);
    EXPECT_THROW((BackupWriter{file, kPassphrase, random}), StartRefused);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "elsewhere"));
}

TEST_F(BackupArchive, what_is_sealed_and_no_backup_is_refused) {
    const std::string name("\0\10manifest", 10);
    for (const auto& plain : {
             std::string{}, std::string{"x"}, std::string(100, '\0'), std::string(100, '\xFF'),
             name, name + std::string("\0\0\0\2{}\0\0\0\0", 10),
             name + std::string("\xFF\xFF\xFF\xFF", 4) + std::string(100, 'x'),
             name + std::string("\0\0\0\1[\0\0\0\0", 9),
         }) {
        seal(plain);
        EXPECT_THAT(refusal(), HasSubstr("it is sealed, and is no backup")) << plain.size();
    }
}

TEST_F(BackupArchive, what_follows_the_end_is_refused) {
    BackupWriter writer{file, kPassphrase, random};
    writer.put(some_manifest());
    writer.put("", "x");  // an entry without a name is the end
    writer.finish();
    EXPECT_THAT(refusal(), HasSubstr("it is sealed, and is no backup"));
}

TEST_F(BackupArchive, of_another_form_names_the_release_that_wrote_it) {
    auto manifest = some_manifest();
    manifest.format = 2;
    {
        BackupWriter writer{file, kPassphrase, random};
        writer.put(manifest);
        writer.finish();
    }
    EXPECT_THAT(refusal(), HasSubstr("SynapseX 1.2.3 wrote it in a form that this program"));
}

TEST_F(BackupArchive, another_passphrase_and_a_missing_file_are_told) {
    EXPECT_THAT(refusal(), HasSubstr("No such file"));
    {
        BackupWriter writer{file, kPassphrase, random};
        writer.put(some_manifest());
        writer.finish();
    }
    EXPECT_THROW((BackupReader{file, "another passphrase"}), BackupUnreadable);
}

}  // namespace
}  // namespace synapsex::app

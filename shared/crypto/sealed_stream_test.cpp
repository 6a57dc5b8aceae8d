#include "shared/crypto/sealed_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include <sys/stat.h>

#include "tests/support/seeded_random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::crypto {
namespace {

constexpr std::string_view kPassphrase = "correct horse battery staple";
constexpr std::size_t kHeader = 34;
constexpr std::size_t kChunk = 64 * 1024;
constexpr std::size_t kSealed = kChunk + 16;

std::string seal(std::string_view plain, std::size_t piece = 7777) {
    testing::SeededRandom random;
    std::string file;
    StreamSealer sealer{kPassphrase, random, [&](std::string_view bytes) { file += bytes; }};
    for (; !plain.empty(); plain.remove_prefix(std::min(piece, plain.size())))
        sealer.write(plain.substr(0, piece));
    sealer.finish();
    return file;
}

std::string open(std::string_view file, std::string_view passphrase = kPassphrase) {
    StreamOpener opener{passphrase, [&](std::span<char> bytes) {
        const auto size = file.copy(bytes.data(), bytes.size());
        file.remove_prefix(size);
        return size;
    }};
    std::string plain;
    std::string piece(5000, '\0');
    while (const auto size = opener.read(piece)) plain += piece.substr(0, size);
    EXPECT_TRUE(opener.is_over());
    return plain;
}

// The sentence of the refusal; empty if it opens.
std::string refusal_of(const std::string& file, std::string_view passphrase = kPassphrase) {
    try {
        open(file, passphrase);
    } catch (const StreamRefused& refused) {
        return refused.what();
    }
    return {};
}

std::string some(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 31 + i / 251) & 0xFF);
    return text;
}

const std::string kNotOpened =
    "it does not open: the passphrase is another, or the file is damaged";
const std::string kCutOff = "it is cut off: its end is missing";
const std::string kNotOurs = "it is no sealed file of this program";

TEST(SealedStream, what_was_written_comes_back_whatever_its_size) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, kChunk - 1, kChunk, kChunk + 1, 3 * kChunk,
          5 * kChunk + 17})
        EXPECT_TRUE(open(seal(some(size))) == some(size)) << size;
    EXPECT_TRUE(seal(some(kChunk + 9), 1) == seal(some(kChunk + 9), 1'000'000));
}

TEST(SealedStream, the_file_shows_nothing_of_what_is_in_it) {
    const auto file = seal(std::string(3 * kChunk, 'a'));
    EXPECT_EQ(file.find("aaaaaaaa"), file.npos);
    // Chunks that are alike look different.
    EXPECT_NE(file.substr(kHeader, kSealed), file.substr(kHeader + kSealed, kSealed));
}

TEST(SealedStream, another_passphrase_opens_nothing) {
    const auto file = seal(some(100));
    EXPECT_EQ(refusal_of(file, "correct horse battery stapl3"), kNotOpened);
    EXPECT_EQ(refusal_of(file, ""), kNotOpened);
}

TEST(SealedStream, a_bit_that_was_changed_anywhere_is_found) {
    const auto file = seal(some(2 * kChunk + 5));
    for (const std::size_t at : {std::size_t{20}, kHeader, kHeader + kChunk, kHeader + kSealed + 1,
                                 file.size() - 17, file.size() - 1}) {
        auto changed = file;
        changed[at] = static_cast<char>(changed[at] ^ 4);
        EXPECT_EQ(refusal_of(changed), kNotOpened) << at;
    }
    auto other = file;
    other[0] = 'S';
    EXPECT_EQ(refusal_of(other), kNotOurs);
}

TEST(SealedStream, a_file_that_is_cut_off_is_found_wherever_the_cut_is) {
    const auto file = seal(some(3 * kChunk + 5));
    for (const std::size_t chunks : {1U, 2U, 3U})
        EXPECT_EQ(refusal_of(file.substr(0, kHeader + chunks * kSealed)), kCutOff) << chunks;
    EXPECT_EQ(refusal_of(file.substr(0, kHeader)), kCutOff);
    for (const std::size_t size : {kHeader + 1, kHeader + 20, kHeader + kSealed - 1,
                                   kHeader + kSealed + 1, file.size() - 1})
        EXPECT_EQ(refusal_of(file.substr(0, size)), kNotOpened) << size;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kHeader - 1})
        EXPECT_EQ(refusal_of(file.substr(0, size)), kNotOurs) << size;
}

TEST(SealedStream, one_that_was_never_finished_is_cut_off) {
    testing::SeededRandom random;
    std::string file;
    StreamSealer sealer{kPassphrase, random, [&](std::string_view bytes) { file += bytes; }};
    sealer.write(some(4 * kChunk));
    EXPECT_EQ(refusal_of(file), kCutOff);
}

TEST(SealedStream, chunks_that_were_swapped_repeated_left_out_or_added_are_found) {
    const auto file = seal(some(3 * kChunk));
    const auto start = file.substr(0, kHeader);
    const auto chunk = [&](std::size_t i) { return file.substr(kHeader + i * kSealed, kSealed); };
    EXPECT_EQ(refusal_of(start + chunk(1) + chunk(0) + chunk(2)), kNotOpened);
    EXPECT_EQ(refusal_of(start + chunk(0) + chunk(0) + chunk(2)), kNotOpened);
    EXPECT_EQ(refusal_of(start + chunk(0) + chunk(2)), kNotOpened);
    EXPECT_EQ(refusal_of(start + chunk(2)), kNotOpened);
    EXPECT_EQ(refusal_of(file + chunk(2)), kNotOpened);
    EXPECT_EQ(refusal_of(file + "x"), kNotOpened);
    EXPECT_EQ(refusal_of(start + chunk(0) + chunk(1) + chunk(2)), "");
}

TEST(SealedStream, chunks_of_another_file_under_the_same_passphrase_are_found) {
    const auto file = seal(some(2 * kChunk));
    testing::SeededRandom random{99};
    std::string other;
    StreamSealer sealer{kPassphrase, random, [&](std::string_view bytes) { other += bytes; }};
    sealer.write(some(2 * kChunk));
    sealer.finish();
    EXPECT_EQ(
        refusal_of(file.substr(0, kHeader + kSealed) + other.substr(kHeader + kSealed)), kNotOpened
    );
}

TEST(SealedStream, many_chunks_go_through_one_chunk_of_memory) {
    constexpr std::size_t kChunks = 4000;  // 250 MiB
    testing::SeededRandom random;
    std::size_t sealed = 0;
    std::size_t largest = 0;
    StreamSealer sealer{kPassphrase, random, [&](std::string_view bytes) {
        sealed += bytes.size();
        largest = std::max(largest, bytes.size());
    }};
    const auto piece = some(kChunk);
    for (std::size_t i = 0; i < kChunks; ++i) sealer.write(piece);
    sealer.finish();
    EXPECT_EQ(sealed, kHeader + kChunks * kSealed);
    EXPECT_EQ(largest, kSealed);
}

TEST(Passphrase, is_a_private_file_of_enough_characters) {
    const testing::TemporaryFolder folder;
    const auto path = folder.path() / "passphrase";
    const auto put = [&](const std::string& text) {
        std::ofstream{path} << text;
        ::chmod(path.c_str(), 0600);
        return read_passphrase(path);
    };
    EXPECT_EQ(put("sixteen letters!\r\n").value(), "sixteen letters!");
    EXPECT_EQ(put("fifteen letters\n\n\n").error().code, "crypto.passphrase_short");
    EXPECT_EQ(put("").error().code, "crypto.passphrase_short");
    ::chmod(path.c_str(), 0640);
    EXPECT_EQ(read_passphrase(path).error().code, "crypto.key_unreadable");
    EXPECT_EQ(read_passphrase(folder.path() / "none").error().code, "crypto.key_missing");
}

}  // namespace
}  // namespace synapsex::crypto

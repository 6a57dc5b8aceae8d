#pragma once

// Files of any size, sealed under a passphrase: what is written in small pieces comes back in the
// same order, whole and unchanged, or not at all. At most a chunk is in memory.
//
//   file  := "synapsex-sealed-1\n" salt chunk* last
//   salt  := 16 random bytes; the key is argon2id(passphrase, salt), 64 MiB, 3 passes, 4 lanes
//   chunk := 64 KiB of AES-256-GCM and its tag (16 bytes); last := the same of 0 to 64 KiB
//   nonce := the chunk's number (11 bytes, big endian), then 1 for the last and 0 for others
//
// This is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar 2015), as age has it: a
// chunk opens only at its place, and only the last one ends the file. The key is of one file, so no
// nonce is used twice.

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "shared/base/random.hpp"
#include "shared/base/result.hpp"

namespace synapsex::crypto {

inline constexpr std::size_t kPassphraseBytesMin = 16;

// The passphrase in a file of key_file.hpp's rules, without the line's end. Refuses one shorter
// than kPassphraseBytesMin: crypto.passphrase_short.
Result<std::string> read_passphrase(const std::filesystem::path& path);

// Another passphrase, or a file that is damaged, cut off, put together anew, or none of ours.
// what() is a sentence about "it".
class StreamRefused : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

class ChunkCipher;

class StreamSealer {
 public:
    using Sink = std::function<void(std::string_view)>;
    StreamSealer(std::string_view passphrase, Random& random, Sink sink);
    ~StreamSealer();

    void write(std::string_view bytes);
    // Without it the file does not open to its end.
    void finish();

 private:
    void put_chunk(bool is_last);

    Sink sink_;
    std::unique_ptr<ChunkCipher> cipher_;
    std::string chunk_;
};

class StreamOpener {
 public:
    // Fills what it can; less than asked for at the end only.
    using Source = std::function<std::size_t(std::span<char>)>;
    // Throws StreamRefused, as do the other two.
    StreamOpener(std::string_view passphrase, Source source);
    ~StreamOpener();

    // The next `bytes.size()` bytes; fewer at the end only, and nobody may trust what came before
    // the end has: is_over().
    std::size_t read(std::span<char> bytes);
    // Every chunk was read, and the last one is the end of the file.
    bool is_over();

 private:
    bool fill();

    Source source_;
    std::unique_ptr<ChunkCipher> cipher_;
    std::string ahead_;  // sealed, and not opened yet
    std::string chunk_;
    std::size_t taken_ = 0;  // of chunk_
    bool has_last_ = false;
};

}  // namespace synapsex::crypto

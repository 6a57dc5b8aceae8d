#pragma once

// What goes over the executor's socket, free of generated code: structs for the messages of
// shared/proto/agent/v1/executor.proto, and frames of a 4-byte little-endian size and that many
// bytes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace synapsex::executor {

inline constexpr std::size_t kFrameBytesMax = 64 * 1024;

enum class Verb { status, restart_worker };

struct Status {
    std::string version{};
    std::int64_t pid = 0;
    std::int64_t started_at_us = 0;
    bool is_privileged = false;
    std::int64_t worker_pid = 0;  // 0: none is known
    std::uint32_t worker_restarts = 0;

    friend bool operator==(const Status&, const Status&) = default;
};

struct Answer {
    std::string error_code{};  // empty: done
    std::string error_detail{};
    std::optional<Status> status{};

    friend bool operator==(const Answer&, const Answer&) = default;
};

std::string encode_request(Verb verb);
// nullopt for garbage, and for a verb that this release does not know.
std::optional<Verb> decode_request(std::string_view bytes);
std::string encode_answer(const Answer& answer);
std::optional<Answer> decode_answer(std::string_view bytes);

// The message must not exceed kFrameBytesMax.
std::string make_frame(std::string_view message);

// Puts one frame together from whatever pieces arrive.
class FrameReader {
 public:
    enum class State { incomplete, complete, too_large };

    // Bytes after the frame are ignored: a connection carries one request and one answer.
    State add(std::string_view bytes);
    // Once complete.
    const std::string& message() const { return message_; }

 private:
    std::string size_bytes_;
    std::string message_;
    std::size_t size_ = 0;
};

}  // namespace synapsex::executor

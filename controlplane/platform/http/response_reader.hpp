#pragma once

// Reads one answer from the bytes of a connection. Private to this folder.

#include <memory>
#include <string>
#include <string_view>

#include "controlplane/platform/api/reply.hpp"

namespace synapsex::http {

class ResponseReader {
 public:
    enum class State { more, whole, bad };

    ResponseReader(std::size_t head_bytes_max, std::size_t body_bytes_max);
    ~ResponseReader();

    // What came next; what is behind the end of the answer is `bad`: nobody asked for it.
    State read(std::string_view bytes);
    // The peer ends the connection: whole for an answer that says no length, else `more`.
    State end();

    bool has_begun() const;
    // After `whole`: without the fields that are about the connection.
    api::Reply take_reply();
    bool keeps_alive() const;

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace synapsex::http

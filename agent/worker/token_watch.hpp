#pragma once

// Looks for an enrollment token that a person has put there for an agent that runs and that the
// control plane has forgotten. Looking costs a read of a small file; nothing is sent.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>

namespace synapsex::agent {

class TokenWatch {
 public:
    enum class Found {
        nothing,
        token,          // a whole one, which was not refused before
        at_next_start,  // the worker may not read it, and gets it then
    };

    // `offered` is where a person puts a token that is handed over as `token_file` before the
    // worker starts, by who may read it (the unit's prepare-agent); empty: nobody hands anything
    // over. What is there already could not be handed over, and is not waited for again.
    TokenWatch(std::filesystem::path token_file, std::filesystem::path offered);

    Found look() const;
    // What is in the token's file did not enroll: another one might.
    void refuse();

 private:
    std::optional<std::string> find_token() const;
    // Of the offered file: another one has another.
    using Trace = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t>;
    std::optional<Trace> trace() const;

    std::filesystem::path token_file_;
    std::filesystem::path offered_;
    std::optional<Trace> trace_at_start_;
    std::string refused_;
};

}  // namespace synapsex::agent

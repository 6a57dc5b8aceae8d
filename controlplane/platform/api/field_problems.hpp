#pragma once

// Collects all that is wrong with one request, so that a caller mends it in one go.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/problem.hpp"

namespace synapsex::api {

// What is wrong with one value, not yet knowing where the value stands.
struct Flaw {
    std::string_view code;
    std::string detail;
};

class FieldProblems {
 public:
    // What comes after the first 50 is counted and not kept.
    static constexpr std::size_t kMax = 50;

    void add(std::string pointer, Flaw flaw);
    // Pointers need not be worked out any more.
    bool is_full() const { return count_ >= kMax; }
    bool empty() const { return count_ == 0; }
    // Kind::invalid "request.invalid" with all of them.
    Problem into_problem() &&;

 private:
    std::vector<FieldProblem> kept_;
    std::size_t count_ = 0;
};

// "/" and the key with "~" and "/" escaped as RFC 6901 has it.
void append_pointer(std::string& pointer, std::string_view key);

}  // namespace synapsex::api

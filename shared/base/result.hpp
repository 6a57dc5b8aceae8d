#pragma once

// Result<T>: a value or a Problem. Expected failures travel this way; exceptions are for outages
// and bugs, and are caught once per request.

#include <boost/system/result.hpp>
#include <stdexcept>
#include <utility>

#include "shared/base/problem.hpp"

namespace synapsex {

// Thrown by Result::value() on a failure: the caller promised that there was none.
class BadResultAccess : public std::logic_error {
 public:
    explicit BadResultAccess(const Problem& problem)
        : std::logic_error("value() of a failed result: " + problem.code + ": " + problem.detail) {}
};

[[noreturn]] inline void throw_exception_from_error(
    const Problem& problem, const boost::source_location&
) {
    throw BadResultAccess(problem);
}

template <class T>
using Result = boost::system::result<T, Problem>;

// The value of a Result that has none but success or failure.
struct Done {
    friend bool operator==(const Done&, const Done&) = default;
};

}  // namespace synapsex

#define SYNAPSEX_TRY_JOIN_(a, b) a##b
#define SYNAPSEX_TRY_NAME_(line) SYNAPSEX_TRY_JOIN_(try_result_, line)

// SYNAPSEX_TRY(const auto tenant, tenants.get(id)); returns the Problem to the caller, or declares
// `tenant` with the value moved out of the result.
#define SYNAPSEX_TRY(declaration, expression)                              \
    auto SYNAPSEX_TRY_NAME_(__LINE__) = (expression);                      \
    if (!SYNAPSEX_TRY_NAME_(__LINE__))                                     \
        return std::move(SYNAPSEX_TRY_NAME_(__LINE__)).error();            \
    declaration = *std::move(SYNAPSEX_TRY_NAME_(__LINE__))

// The same where only success matters.
#define SYNAPSEX_CHECK(expression)                                         \
    if (auto SYNAPSEX_TRY_NAME_(__LINE__) = (expression);                  \
        !SYNAPSEX_TRY_NAME_(__LINE__))                                     \
    return std::move(SYNAPSEX_TRY_NAME_(__LINE__)).error()

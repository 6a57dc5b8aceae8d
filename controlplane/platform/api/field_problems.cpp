#include "controlplane/platform/api/field_problems.hpp"

#include <utility>

namespace synapsex::api {

void FieldProblems::add(std::string pointer, Flaw flaw) {
    ++count_;
    if (kept_.size() < kMax)
        kept_.push_back({std::move(pointer), std::string{flaw.code}, std::move(flaw.detail)});
}

Problem FieldProblems::into_problem() && {
    Problem problem{.kind = Kind::invalid, .code = "request.invalid", .detail = {}};
    if (count_ == 1) {
        const auto& only = kept_.front();
        problem.detail = only.pointer.empty() ? "The request body" : only.pointer;
        problem.detail += ": " + only.detail;
    } else {
        problem.detail = std::to_string(count_) + " things are wrong with the request";
        problem.detail += count_ > kMax ? "; the first 50 are listed." : ".";
    }
    problem.errors = std::move(kept_);
    return problem;
}

void append_pointer(std::string& pointer, std::string_view key) {
    pointer += '/';
    for (const char c : key) {
        if (c == '~')
            pointer += "~0";
        else if (c == '/')
            pointer += "~1";
        else
            pointer += c;
    }
}

}  // namespace synapsex::api

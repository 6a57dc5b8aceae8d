#pragma once

// A failure as the user sees it: what went wrong, the code and request id to quote, and what to do.

#include <string>
#include <string_view>

#include "controlplane/cli/context.hpp"

namespace synapsex::cli {

// To standard error; with --json the problem document, made by us where no server gave one.
void complain(Context& context, const Problem& problem);
// With advice of the caller's, where it knows better.
void complain(Context& context, const Problem& problem, std::string_view advice);

// What to do about it, or empty where we know no better than the detail.
std::string advice_for(const Problem& problem, Context& context);

}  // namespace synapsex::cli

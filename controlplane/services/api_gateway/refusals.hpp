#pragma once

// Why the gateway itself refuses a request, or fails at it.

#include <string>
#include <vector>

#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/http/server.hpp"
#include "shared/base/problem.hpp"

namespace synapsex::api_gateway {

// "GET, HEAD, OPTIONS": what a path that has these operations understands.
std::string methods_of(const std::vector<api::Verb>& verbs);

// 404, or 405 with Allow where the path has other methods.
Problem no_such_path(const http::RequestHead& head, const std::vector<api::Verb>& allowed);
// 406: Accept takes none of the operation's types.
Problem not_acceptable(const api::OperationInfo& operation);
Problem internal_error();
Problem overloaded();
Problem waited_too_long();

}  // namespace synapsex::api_gateway

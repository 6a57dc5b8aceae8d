#pragma once

#include "controlplane/services/api_gateway/api.hpp"
#include "controlplane/services/api_gateway/receipts.hpp"
#include "shared/base/result.hpp"

namespace synapsex::api_gateway {

// Kind::not_found requests.not_found for what is not kept, or is not the caller's.
Result<Explanation> explain(const Receipts& receipts, const Call& call, const RequestPath& path);

}  // namespace synapsex::api_gateway

#include "controlplane/services/api_gateway/api_docs.hpp"

#include "controlplane/platform/api/codec_impl.hpp"

namespace synapsex {

using namespace api_gateway;

template struct api::Codec<RequestPath>;
template struct api::Codec<ExplainedCaller>;
template struct api::Codec<ExplainedLimit>;
template struct api::Codec<ExplainedTimes>;
template struct api::Codec<Explanation>;

}  // namespace synapsex

#include "controlplane/services/audit/api_docs.hpp"

#include "controlplane/platform/api/codec_impl.hpp"

namespace synapsex {

using namespace audit;

template struct api::Codec<Actor>;
template struct api::Codec<AuditEntry>;
template struct api::Codec<ListEntries>;
template struct api::Codec<EntryPage>;
template struct api::Codec<EntryPath>;
template struct api::Codec<ExportEntries>;

}  // namespace synapsex

#include "controlplane/services/_template/api_docs.hpp"

#include "controlplane/platform/api/codec_impl.hpp"

namespace synapsex {

using namespace _template;

template struct api::Codec<CreateNote>;
template struct api::Codec<Note>;
template struct api::Codec<NotePath>;
template struct api::Codec<ListNotes>;
template struct api::Codec<NotePage>;

}  // namespace synapsex

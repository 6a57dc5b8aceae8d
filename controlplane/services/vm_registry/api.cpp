#include "controlplane/services/vm_registry/api_docs.hpp"

#include "controlplane/platform/api/codec_impl.hpp"

namespace synapsex {

using namespace vm_registry;

template struct api::Codec<ListVms>;
template struct api::Codec<VmPage>;
template struct api::Codec<VmPath>;
template struct api::Codec<Vm>;
template struct api::Codec<ListPackages>;
template struct api::Codec<PackagePage>;
template struct api::Codec<SectionPath>;
template struct api::Codec<SignedSection>;
template struct api::Codec<ReadTelemetry>;
template struct api::Codec<TelemetryPage>;
template struct api::Codec<WatchVm>;
template struct api::Codec<Watching>;
// The bodies of stored sections.
template struct api::Codec<Os>;
template struct api::Codec<Cpu>;
template struct api::Codec<Memory>;
template struct api::Codec<Disks>;
template struct api::Codec<Filesystems>;
template struct api::Codec<Network>;
template struct api::Codec<Packages>;

}  // namespace synapsex

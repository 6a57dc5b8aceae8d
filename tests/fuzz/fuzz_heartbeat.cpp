// The reader of heartbeats: what it takes it writes and takes again as the same.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "controlplane/services/agent_registry/api.hpp"

using namespace synapsex;
using agent_registry::Heartbeat;
using Codec = api::ProtobufCodec<Heartbeat>;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    Heartbeat heartbeat;
    if (!Codec::decode(bytes, heartbeat)) return 0;
    std::string once;
    Codec::encode(heartbeat, once);
    Heartbeat again;
    if (!Codec::decode(once, again)) std::abort();
    std::string twice;
    Codec::encode(again, twice);
    if (once != twice) std::abort();
    return 0;
}

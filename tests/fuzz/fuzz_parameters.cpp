// Percent-encoding of paths and queries: what is decoded is encoded and decoded to the same.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "controlplane/platform/api/parameters.hpp"

using namespace synapsex;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto decoded = api::percent_decode(text);
    if (!decoded) return 0;
    if (api::percent_decode(api::percent_encode(*decoded)) != decoded) std::abort();
    return 0;
}

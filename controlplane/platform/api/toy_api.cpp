#include "controlplane/platform/api/toy_api.hpp"

#include <charconv>

#include "controlplane/platform/api/codec_impl.hpp"

namespace synapsex::api {

template struct Codec<toy::ListWidgets>;
template struct Codec<toy::WidgetPage>;
template struct Codec<toy::CreateWidget>;
template struct Codec<toy::Widget>;
template struct Codec<toy::WidgetPath>;
template struct Codec<toy::PatchWidget>;
template struct Codec<toy::Sell>;
template struct Codec<toy::Grant>;
template struct Codec<toy::Upload>;
template struct Codec<toy::Tree>;
template struct Codec<toy::Beat>;
template struct Codec<std::vector<toy::Widget>>;

// Stands for generated code: the sequence number in decimal.
Result<Done> ProtobufCodec<toy::Beat>::decode(std::string_view bytes, toy::Beat& beat) {
    const auto [end, error] =
        std::from_chars(bytes.data(), bytes.data() + bytes.size(), beat.sequence);
    if (error != std::errc{} || end != bytes.data() + bytes.size())
        return Problem{.kind = Kind::invalid, .code = "request.malformed", .detail = "no number"};
    return Done{};
}

void ProtobufCodec<toy::Beat>::encode(const toy::Beat& beat, std::string& out) {
    out += std::to_string(beat.sequence);
}

}  // namespace synapsex::api

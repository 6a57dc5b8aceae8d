// The format of a chunk:
//
//   chunk  := version count field*
//   version := byte 1
//   count  := varint                 samples, at most kChunkSlots
//   field  := delta{count}           one field of all samples, fields in the order of declaration
//   delta  := varint(zigzag(value - value before))   0 before the first
//
// varint is LEB128: 7 bits a byte, least significant first. Neighbours differ little, so most
// deltas are one byte. A field that is added to TelemetrySample goes to the end: in an older chunk
// the bytes end early and the field is 0.

#include "controlplane/services/vm_registry/sample_chunk.hpp"

#include <algorithm>

namespace synapsex::vm_registry {

namespace {

constexpr char kVersion = 1;

void put_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out += static_cast<char>((value & 0x7F) | 0x80);
        value >>= 7;
    }
    out += static_cast<char>(value);
}

std::uint64_t take_varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (bytes.empty()) throw BrokenChunk("a telemetry chunk ends inside a number");
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) return value;
    }
    throw BrokenChunk("a number of a telemetry chunk is too long");
}

// Differences are taken modulo 2^64, so every pair of values has one.
std::uint64_t zigzag(std::uint64_t delta) {
    return (delta << 1) ^ (delta >> 63 != 0 ? ~std::uint64_t{0} : 0);
}
std::uint64_t unzigzag(std::uint64_t coded) {
    return (coded >> 1) ^ ((coded & 1) != 0 ? ~std::uint64_t{0} : 0);
}

}  // namespace

std::string pack_samples(std::span<const TelemetrySample> samples) {
    std::string bytes{kVersion};
    put_varint(bytes, samples.size());
    for_each_member<TelemetrySample>([&](auto, auto, auto member) {
        std::uint64_t before = 0;
        for (const auto& sample : samples) {
            const auto value = static_cast<std::uint64_t>(sample.*member);
            put_varint(bytes, zigzag(value - before));
            before = value;
        }
    });
    return bytes;
}

std::vector<TelemetrySample> unpack_samples(std::string_view bytes) {
    if (bytes.empty() || bytes.front() != kVersion)
        throw BrokenChunk("a telemetry chunk is of an unknown version");
    bytes.remove_prefix(1);
    const auto count = take_varint(bytes);
    if (count > kChunkSlots) throw BrokenChunk("a telemetry chunk has too many samples");
    std::vector<TelemetrySample> samples(count);
    for_each_member<TelemetrySample>([&](auto, auto, auto member) {
        if (bytes.empty()) return;
        std::uint64_t before = 0;
        for (auto& sample : samples) {
            before += unzigzag(take_varint(bytes));
            sample.*member = static_cast<std::int64_t>(before);
        }
    });
    return samples;
}

std::vector<TelemetrySample> merge_samples(
    std::span<const TelemetrySample> stored, std::span<const TelemetrySample> added
) {
    std::vector<TelemetrySample> merged;
    merged.reserve(stored.size() + added.size());
    // set_union takes an element that both have from the first range.
    std::ranges::set_union(
        stored, added, std::back_inserter(merged), {}, &TelemetrySample::slot,
        &TelemetrySample::slot
    );
    return merged;
}

}  // namespace synapsex::vm_registry

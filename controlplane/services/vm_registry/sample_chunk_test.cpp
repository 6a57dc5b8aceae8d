#include "controlplane/services/vm_registry/sample_chunk.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/seeded_random.hpp"

namespace synapsex::vm_registry {
namespace {

using synapsex::testing::SeededRandom;

TelemetrySample sample_at(std::int64_t slot) {
    TelemetrySample sample;
    sample.slot = slot;
    sample.load1_centi = slot % 300;
    sample.memory_total_bytes = 8LL << 30;
    return sample;
}

std::vector<TelemetrySample> samples_at(std::initializer_list<std::int64_t> slots) {
    std::vector<TelemetrySample> samples;
    for (const auto slot : slots) samples.push_back(sample_at(slot));
    return samples;
}

TEST(SampleChunk, comes_back_as_it_was_packed) {
    SeededRandom random;
    std::vector<TelemetrySample> samples(kChunkSlots);
    for (auto& sample : samples)
        for_each_member<TelemetrySample>([&](auto, auto, auto member) {
            sample.*member = static_cast<std::int64_t>(random.next() >> random.below(64));
        });
    samples[3].load1_centi = std::numeric_limits<std::int64_t>::min();
    samples[4].load1_centi = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(unpack_samples(pack_samples(samples)), samples);
    EXPECT_TRUE(unpack_samples(pack_samples({})).empty());
}

TEST(SampleChunk, takes_little_room_for_a_quiet_machine) {
    std::vector<TelemetrySample> samples;
    for (std::int64_t i = 0; i < kChunkSlots; ++i) {
        auto sample = sample_at(117'000'000 + i);
        sample.memory_available_bytes = (6LL << 30) + i * 4096;
        sample.uptime_seconds = 86'400 + i * 15;
        samples.push_back(sample);
    }
    EXPECT_LT(pack_samples(samples).size(), 30U * kChunkSlots);
}

TEST(SampleChunk, reads_a_chunk_of_an_older_release_that_had_fewer_fields) {
    const auto samples = samples_at({40, 41});
    const auto bytes = pack_samples(samples);
    // The last field, uptime, is two single bytes here.
    auto expected = samples;
    expected[0].uptime_seconds = expected[1].uptime_seconds = 0;
    EXPECT_EQ(unpack_samples(bytes.substr(0, bytes.size() - 2)), expected);
}

TEST(SampleChunk, refuses_bytes_that_it_did_not_make) {
    const auto bytes = pack_samples(samples_at({40, 41, 42}));
    EXPECT_THROW(unpack_samples(""), BrokenChunk);
    EXPECT_THROW(unpack_samples("\x02\x01"), BrokenChunk);
    EXPECT_THROW(unpack_samples(bytes.substr(0, 4)), BrokenChunk);
    EXPECT_THROW(unpack_samples(std::string{"\x01\x7F"}), BrokenChunk);
    EXPECT_THROW(unpack_samples("\x01" + std::string(12, '\xFF')), BrokenChunk);
}

TEST(SampleChunk, random_bytes_end_in_samples_or_an_exception) {
    SeededRandom random;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes(random.below(60), '\0');
        random.fill(std::as_writable_bytes(std::span{bytes.data(), bytes.size()}));
        if (!bytes.empty()) bytes[0] = 1;
        try {
            EXPECT_LE(unpack_samples(bytes).size(), static_cast<std::size_t>(kChunkSlots));
        } catch (const BrokenChunk&) {
        }
    }
}

TEST(MergeSamples, keeps_each_slot_once_and_the_stored_one) {
    auto added = samples_at({2, 3, 5});
    for (auto& sample : added) sample.processes = 7;
    const auto merged = merge_samples(samples_at({1, 3, 4}), added);
    std::vector<std::int64_t> slots;
    for (const auto& sample : merged) slots.push_back(sample.slot);
    EXPECT_EQ(slots, (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
    EXPECT_EQ(merged[2].processes, 0);
    EXPECT_EQ(merged[4].processes, 7);
}

}  // namespace
}  // namespace synapsex::vm_registry

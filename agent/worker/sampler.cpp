#include "agent/worker/sampler.hpp"

namespace synapsex::agent {

void Sampler::run() {
    // The first look is what the first slot's rates are measured against.
    do take_sample();
    while (!stop_.wait_for(until_slot_end()));
}

void Sampler::take_sample() {
    if (auto sample = source_.sample()) spool_.append(*std::move(sample));
}

std::chrono::nanoseconds Sampler::until_slot_end() const {
    // A little after the end: a timer that fires early must not see the old slot.
    constexpr std::chrono::milliseconds kMargin{20};
    const auto now = clock_.now();
    return start_of_slot(slot_of(now) + 1) - now + kMargin;
}

}  // namespace synapsex::agent

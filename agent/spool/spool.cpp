#include "agent/spool/spool.hpp"

#include <algorithm>
#include <utility>

namespace synapsex::agent {

std::uint64_t Spool::first_sequence(Timestamp now) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(to_micros(now), 1));
}

Spool::Spool(
    SpoolDisk& disk, std::uint64_t first_sequence, std::chrono::milliseconds patience
)
    : disk_(disk), patience_(patience) {
    incarnation_ = disk_.server_incarnation();
    sequence_ = std::max(disk_.reserved_sequence(), first_sequence - 1);
    reserved_ = sequence_ + kSequenceBlock;
    reserve_sequence(reserved_);
    on_disk_ = disk_.totals();
}

void Spool::append(EncodedSample sample) {
    {
        const std::lock_guard lock{mutex_};
        if (in_memory_.samples >= kWaitingMax) {
            ++overflowed_;
            return;
        }
        ++in_memory_.samples;
        in_memory_.bytes += sample.bytes.size();
        waiting_.push_back(std::move(sample));
    }
    thread_.post([this] { write_waiting(); });
}

void Spool::write_waiting() {
    std::vector<EncodedSample> samples;
    std::uint64_t overflowed = 0;
    {
        const std::lock_guard lock{mutex_};
        samples.swap(waiting_);
        overflowed = std::exchange(overflowed_, 0);
        on_disk_.dropped_samples += overflowed;
    }
    disk_.count_dropped(overflowed);
    if (!samples.empty()) disk_.append(samples);
    if (unreserved_ != 0) reserve_sequence(unreserved_);
    const std::lock_guard lock{mutex_};
    on_disk_ = disk_.totals();
    in_memory_.samples -= samples.size();
    for (const auto& sample : samples) in_memory_.bytes -= sample.bytes.size();
}

Backlog Spool::backlog() const {
    const std::lock_guard lock{mutex_};
    return {
        .samples = on_disk_.backlog.samples + in_memory_.samples,
        .bytes = on_disk_.backlog.bytes + in_memory_.bytes,
    };
}

std::uint64_t Spool::dropped_samples() const {
    const std::lock_guard lock{mutex_};
    return on_disk_.dropped_samples + overflowed_;
}

bool Spool::is_in_memory() const {
    const std::lock_guard lock{mutex_};
    return on_disk_.is_in_memory;
}

std::vector<EncodedSample> Spool::oldest(std::size_t samples_max, std::size_t bytes_max) {
    if (samples_max == 0) return {};
    const auto read = [this, samples_max, bytes_max] {
        return disk_.oldest(samples_max, bytes_max);
    };
    auto samples = reading_.ask(thread_, read, patience_);
    if (!samples) return {};
    // It may answer an earlier question, which asked for more.
    if (samples->size() > samples_max) samples->resize(samples_max);
    return *std::move(samples);
}

void Spool::forget(std::vector<std::int64_t> slots) {
    if (slots.empty()) return;
    thread_.post([this, slots = std::move(slots)] {
        disk_.forget(slots);
        note_totals();
    });
}

void Spool::drop(std::vector<std::int64_t> slots) {
    if (slots.empty()) return;
    thread_.post([this, slots = std::move(slots)] {
        disk_.drop(slots);
        note_totals();
    });
}

void Spool::note_totals() {
    const std::lock_guard lock{mutex_};
    on_disk_ = disk_.totals();
}

std::uint64_t Spool::next_sequence() {
    // Half a block ahead, so that the disk has hours for it. One that has no hour left does not
    // stop the counting: then a restart could use a number again, if the clock was set back too.
    if (++sequence_ + kSequenceBlock / 2 > reserved_) {
        reserved_ += kSequenceBlock;
        thread_.post([this, last = reserved_] { reserve_sequence(last); });
    }
    return sequence_;
}

// What the disk does not take is tried again with the next sample.
void Spool::reserve_sequence(std::uint64_t last) {
    unreserved_ = disk_.reserve_sequence(last) ? 0 : last;
}

void Spool::set_server_incarnation(const std::string& incarnation) {
    incarnation_ = incarnation;
    thread_.post([this, incarnation] { disk_.set_server_incarnation(incarnation); });
}

}  // namespace synapsex::agent

#include "agent/spool/spool_file.hpp"

#include <algorithm>
#include <utility>

#include "agent/spool/spool_store.hpp"
#include "shared/base/log.hpp"

namespace synapsex::agent {

namespace {

constexpr std::string_view kSequence = "sequence";
constexpr std::string_view kDropped = "dropped_samples";
constexpr std::string_view kIncarnation = "server_incarnation";
constexpr const char* kMemory = ":memory:";
// When the spool is over its limit this share of it goes at once: one write now instead of one
// with each sample from here on.
constexpr std::size_t kShareToDrop = 64;
// A day of slots, 1 MB: memory is not for a month of them.
constexpr std::size_t kSamplesInMemoryMax = 5760;

}  // namespace

SpoolFile::SpoolFile(std::filesystem::path path, SpoolLimits limits, std::string vfs)
    : path_(std::move(path)),
      limits_(limits),
      vfs_(std::move(vfs)),
      store_(std::make_unique<Store>(kMemory, "")) {
    enter_file(OnDamage::start_anew);
}

SpoolFile::~SpoolFile() = default;

void SpoolFile::enter_file(OnDamage on_damage) {
    try {
        auto file = std::make_unique<Store>(path_, vfs_);
        carry_over_to(*file);
        store_ = std::move(file);
        if (std::exchange(totals_.is_in_memory, false))
            log_info("the spool is in its file again", {{"path", path_.string()}});
    } catch (const sqlite::Error& error) {
        if (error.failure() == sqlite::Failure::corrupt && on_damage == OnDamage::start_anew) {
            set_aside(error.what());
            return enter_file(OnDamage::give_up);
        }
        if (!std::exchange(totals_.is_in_memory, true))
            log_error("the spool cannot be kept in its file; it is in memory until it can",
                      {{"path", path_.string()}, {"reason", error.what()}});
    }
}

// Writes only what the file does not know: one on a full disk can still be read.
void SpoolFile::carry_over_to(Store& file) {
    const auto reserved = file.number(kSequence);
    const auto dropped = file.number(kDropped);
    const auto incarnation = file.text(kIncarnation);
    reserved_sequence_ = std::max(reserved_sequence_, reserved);
    totals_.dropped_samples = std::max(totals_.dropped_samples, dropped);
    if (incarnation_.empty()) incarnation_ = incarnation;

    const auto samples = store_->oldest(totals_.backlog.samples);
    if (!samples.empty()) file.insert(samples, Durability::cached);
    if (reserved_sequence_ > reserved)
        file.set_number(kSequence, reserved_sequence_, Durability::synced);
    if (totals_.dropped_samples > dropped) file.set_number(kDropped, totals_.dropped_samples);
    if (incarnation_ != incarnation) file.set_text(kIncarnation, incarnation_);
    totals_.backlog = file.total();
}

void SpoolFile::lose_file(const std::string& reason) {
    totals_.dropped_samples += std::exchange(totals_.backlog, {}).samples;
    store_ = std::make_unique<Store>(kMemory, "");
    set_aside(reason);
    enter_file(OnDamage::give_up);
}

// One damaged file is kept for whoever wants to look into it, never more.
void SpoolFile::set_aside(const std::string& reason) {
    if (!totals_.is_in_memory)
        log_error("the spool is damaged; it is set aside and a new one begun",
                  {{"path", path_.string()}, {"reason", reason}});
    std::error_code ignored;
    std::filesystem::rename(path_, path_.string() + ".damaged", ignored);
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(path_.string() + "-wal", ignored);
    std::filesystem::remove(path_.string() + "-shm", ignored);
}

template <class Work>
bool SpoolFile::attempt(std::string_view what, Work work) {
    try {
        work(*store_);
        if (failing_ == what) {
            log_info("the spool works again", {{"operation", what}});
            failing_ = {};
        }
        return true;
    } catch (const sqlite::Error& error) {
        if (failing_.empty()) {
            log_error("the spool fails", {{"operation", what}, {"reason", error.what()}});
            failing_ = what;
        }
        if (error.failure() == sqlite::Failure::corrupt) lose_file(error.what());
        return false;
    }
}

void SpoolFile::append(const std::vector<EncodedSample>& samples) {
    if (totals_.is_in_memory) enter_file(OnDamage::start_anew);
    // The disk is asked to keep for good what was written since the last time: often enough, and
    // not with each sample.
    const bool is_sync_due = ++appends_since_sync_ >= kAppendsBetweenSyncs;
    if (is_sync_due) appends_since_sync_ = 0;
    const auto durability = is_sync_due ? Durability::synced : Durability::cached;
    const bool is_kept = attempt("append", [&](Store& store) {
        const auto added = store.insert(samples, durability);
        totals_.backlog.samples += added.samples;
        totals_.backlog.bytes += added.bytes;
    });
    if (!is_kept) return count_dropped(samples.size());
    enforce_limits();
}

void SpoolFile::enforce_limits() {
    const auto& backlog = totals_.backlog;
    const auto samples_max = totals_.is_in_memory
                                 ? std::min(limits_.samples_max, kSamplesInMemoryMax)
                                 : limits_.samples_max;
    while (backlog.samples > samples_max || backlog.bytes > limits_.bytes_max) {
        const auto share = std::max<std::size_t>(backlog.samples / kShareToDrop, 1);
        std::vector<std::int64_t> slots;
        for (const auto& sample : oldest(share, limits_.bytes_max)) slots.push_back(sample.slot);
        const auto gone = erase(slots);
        count_dropped(gone);
        if (gone == 0) return;
    }
}

std::size_t SpoolFile::erase(const std::vector<std::int64_t>& slots) {
    std::size_t gone = 0;
    attempt("erase", [&](Store& store) {
        const auto erased = store.erase(slots);
        totals_.backlog.samples -= erased.samples;
        totals_.backlog.bytes -= erased.bytes;
        gone = erased.samples;
    });
    // What is erased stays erased, whether or not its room can be given back now.
    attempt("shrink", [](Store& store) { store.shrink(); });
    return gone;
}

void SpoolFile::count_dropped(std::uint64_t samples) {
    if (samples == 0) return;
    totals_.dropped_samples += samples;
    attempt("count", [&](Store& store) { store.set_number(kDropped, totals_.dropped_samples); });
}

std::vector<EncodedSample> SpoolFile::oldest(std::size_t samples_max, std::size_t bytes_max) {
    std::vector<EncodedSample> samples;
    attempt("read", [&](Store& store) { samples = store.oldest(samples_max); });
    std::size_t bytes = 0;
    const auto over = std::ranges::find_if(samples, [&](const EncodedSample& sample) {
        bytes += sample.bytes.size();
        return bytes > bytes_max;
    });
    samples.erase(over, samples.end());
    return samples;
}

bool SpoolFile::reserve_sequence(std::uint64_t last) {
    reserved_sequence_ = std::max(reserved_sequence_, last);
    return attempt("count", [&](Store& store) {
        store.set_number(kSequence, reserved_sequence_, Durability::synced);
    });
}

void SpoolFile::set_server_incarnation(const std::string& incarnation) {
    incarnation_ = incarnation;
    attempt("write", [&](Store& store) { store.set_text(kIncarnation, incarnation); });
}

}  // namespace synapsex::agent

#include "agent/spool/spool_file.hpp"

#include <algorithm>

#include "agent/spool/spool_store.hpp"
#include "shared/base/log.hpp"

namespace synapsex::agent {

namespace {

constexpr std::string_view kSequence = "sequence";
constexpr std::string_view kDropped = "dropped_samples";
constexpr std::string_view kIncarnation = "server_incarnation";
// When the spool is over its limit this share of it goes at once: one write now instead of one
// with each sample from here on.
constexpr std::size_t kShareToDrop = 64;

}  // namespace

SpoolFile::SpoolFile(std::filesystem::path path, SpoolLimits limits)
    : path_(std::move(path)), limits_(limits) {
    open(OnDamage::start_anew);
}

SpoolFile::~SpoolFile() = default;

void SpoolFile::open(OnDamage on_damage) {
    try {
        store_ = std::make_unique<Store>(path_);
        totals_.backlog = store_->total();
        totals_.dropped_samples = std::max(totals_.dropped_samples, store_->number(kDropped));
        const auto reserved = store_->number(kSequence);
        // A new file in the place of a damaged one knows none of the numbers that were used.
        if (reserved < reserved_sequence_) store_->set_number(kSequence, reserved_sequence_);
        reserved_sequence_ = std::max(reserved_sequence_, reserved);
    } catch (const sqlite::Error& error) {
        store_.reset();
        if (error.failure() != sqlite::Failure::corrupt || on_damage == OnDamage::give_up) throw;
        log_error("the spool is damaged; it is set aside and a new one begun",
                  {{"path", path_.string()}, {"reason", error.what()}});
        set_aside();
        open(OnDamage::give_up);
    }
}

// One damaged file is kept for whoever wants to look into it, never more.
void SpoolFile::set_aside() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::rename(path_, path_.string() + ".damaged", ignored);
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(path_.string() + "-wal", ignored);
    std::filesystem::remove(path_.string() + "-shm", ignored);
    totals_.backlog = {};
}

template <class Work>
bool SpoolFile::attempt(const char* what, Work work) {
    try {
        if (!store_) open(OnDamage::start_anew);
        work(*store_);
        return true;
    } catch (const sqlite::Error& error) {
        log_error("the spool failed", {{"operation", what}, {"reason", error.what()}});
        if (error.failure() == sqlite::Failure::corrupt) set_aside();
        return false;
    }
}

void SpoolFile::append(const std::vector<EncodedSample>& samples) {
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
    while (backlog.samples > limits_.samples_max || backlog.bytes > limits_.bytes_max) {
        const auto share = std::max<std::size_t>(backlog.samples / kShareToDrop, 1);
        std::vector<std::int64_t> slots;
        for (const auto& sample : oldest(share, limits_.bytes_max)) slots.push_back(sample.slot);
        const auto gone = erase(slots);
        count_dropped(gone);
        if (gone == 0) return;
    }
}

std::size_t SpoolFile::erase(const std::vector<std::int64_t>& slots) {
    Backlog gone;
    attempt("erase", [&](Store& store) {
        gone = store.erase(slots);
        totals_.backlog.samples -= gone.samples;
        totals_.backlog.bytes -= gone.bytes;
    });
    return gone.samples;
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

void SpoolFile::reserve_sequence(std::uint64_t last) {
    reserved_sequence_ = std::max(reserved_sequence_, last);
    attempt("count", [&](Store& store) {
        store.set_number(kSequence, reserved_sequence_, Durability::synced);
    });
}

std::string SpoolFile::server_incarnation() {
    std::string incarnation;
    attempt("read", [&](Store& store) { incarnation = store.text(kIncarnation); });
    return incarnation;
}

void SpoolFile::set_server_incarnation(const std::string& incarnation) {
    attempt("write", [&](Store& store) { store.set_text(kIncarnation, incarnation); });
}

}  // namespace synapsex::agent

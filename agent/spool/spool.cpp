#include "agent/spool/spool.hpp"

#include <algorithm>
#include <stdexcept>

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

Spool::Spool(std::filesystem::path path, SpoolLimits limits)
    : path_(std::move(path)), limits_(limits) {
    open(OnDamage::start_anew);
}

Spool::~Spool() = default;

void Spool::open(OnDamage on_damage) {
    try {
        store_ = std::make_unique<Store>(path_);
        backlog_ = store_->total();
        dropped_ = std::max(dropped_, store_->number(kDropped));
        sequence_ = std::max(sequence_, store_->number(kSequence));
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
void Spool::set_aside() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::rename(path_, path_.string() + ".damaged", ignored);
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(path_.string() + "-wal", ignored);
    std::filesystem::remove(path_.string() + "-shm", ignored);
    backlog_ = {};
}

template <class Work>
bool Spool::attempt(const char* what, Work work) {
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

void Spool::append(const EncodedSample& sample) {
    const std::lock_guard lock{mutex_};
    const bool is_kept = attempt("append", [&](Store& store) {
        if (!store.insert(sample)) return;
        ++backlog_.samples;
        backlog_.bytes += sample.bytes.size();
    });
    if (!is_kept) return count_dropped(1);
    enforce_limits();
}

void Spool::enforce_limits() {
    if (backlog_.samples <= limits_.samples_max && backlog_.bytes <= limits_.bytes_max) return;
    const auto share = std::max<std::size_t>(backlog_.samples / kShareToDrop, 1);
    Backlog gone;
    attempt("drop", [&](Store& store) {
        const auto last = store.oldest(share).back().slot;
        gone = store.total(INT64_MIN, last);
        store.erase(INT64_MIN, last);
        backlog_.samples -= gone.samples;
        backlog_.bytes -= gone.bytes;
    });
    count_dropped(gone.samples);
}

void Spool::count_dropped(std::uint64_t samples) {
    if (samples == 0) return;
    dropped_ += samples;
    attempt("count", [&](Store& store) { store.set_number(kDropped, dropped_); });
}

std::vector<EncodedSample> Spool::oldest(std::size_t samples_max, std::size_t bytes_max) {
    const std::lock_guard lock{mutex_};
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

std::size_t Spool::forget(std::int64_t first, std::int64_t last) {
    const std::lock_guard lock{mutex_};
    std::size_t forgotten = 0;
    attempt("forget", [&](Store& store) {
        const auto gone = store.total(first, last);
        if (gone.samples == 0) return;
        store.erase(first, last);
        backlog_.samples -= gone.samples;
        backlog_.bytes -= gone.bytes;
        forgotten = gone.samples;
    });
    return forgotten;
}

Backlog Spool::backlog() const {
    const std::lock_guard lock{mutex_};
    return backlog_;
}

std::uint64_t Spool::dropped_samples() const {
    const std::lock_guard lock{mutex_};
    return dropped_;
}

std::uint64_t Spool::next_sequence(std::uint64_t floor) {
    const std::lock_guard lock{mutex_};
    sequence_ = std::max(sequence_ + 1, sequence_ == 0 ? floor : 0);
    // Without a disk it still counts up for as long as this process lives.
    attempt("count", [&](Store& store) { store.set_number_durably(kSequence, sequence_); });
    return sequence_;
}

std::string Spool::server_incarnation() {
    const std::lock_guard lock{mutex_};
    std::string incarnation;
    attempt("read", [&](Store& store) { incarnation = store.text(kIncarnation); });
    return incarnation;
}

void Spool::set_server_incarnation(const std::string& incarnation) {
    const std::lock_guard lock{mutex_};
    attempt("write", [&](Store& store) { store.set_text(kIncarnation, incarnation); });
}

}  // namespace synapsex::agent

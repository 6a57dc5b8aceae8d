#include "agent/core/section_ledger.hpp"

namespace synapsex::agent {

namespace {
// A server that wants again what it has just taken is confused; indulging it would be a busy loop.
constexpr std::chrono::minutes kRepeatPause{1};
// Looking whether a section is collected by now costs nothing, at the server neither.
constexpr std::chrono::seconds kCollectPause{10};
}  // namespace

void SectionLedger::set_current(const SectionHash& current) {
    sections_[current.section].current = current.hash;
}

std::vector<SectionHash> SectionLedger::unannounced() const {
    std::vector<SectionHash> hashes;
    for (const auto& [name, section] : sections_)
        if (!section.current.empty() && section.current != section.announced)
            hashes.push_back({name, section.current});
    return hashes;
}

void SectionLedger::on_announced(const std::vector<SectionHash>& hashes) {
    for (const auto& [name, hash] : hashes) sections_[name].announced = hash;
}

void SectionLedger::want(const std::vector<std::string>& names) {
    for (const auto& name : names) {
        const auto found = sections_.find(name);
        if (found != sections_.end()) found->second.is_wanted = true;
    }
}

bool SectionLedger::is_pointless(const Section& section) const {
    if (section.current == section.too_large) return true;
    return section.current == section.stored &&
           clock_.steady_now() < section.stored_at + kRepeatPause;
}

std::optional<SectionHash> SectionLedger::due() const {
    const auto now = clock_.steady_now();
    if (now < not_before_) return std::nullopt;
    for (const auto& [name, section] : sections_) {
        const bool is_due = section.is_wanted && now >= section.not_before;
        if (is_due && !section.current.empty() && !is_pointless(section))
            return SectionHash{name, section.current};
    }
    return std::nullopt;
}

void SectionLedger::on_stored(const SectionHash& stored) {
    auto& section = sections_[stored.section];
    // What was sent was collected just now, so it is news to the hashes as well.
    section.current = section.announced = section.stored = stored.hash;
    section.stored_at = clock_.steady_now();
    section.is_wanted = false;
    section.too_large.clear();
    section.backoff.reset();
}

void SectionLedger::postpone() { not_before_ = clock_.steady_now() + kCollectPause; }

void SectionLedger::on_refused(const SectionHash& sent, const CallFailure& failure) {
    auto& section = sections_[sent.section];
    section.current = sent.hash;
    section.not_before = clock_.steady_now() + wait_after(failure, section.backoff, random_);
    if (failure.status != 413) return;
    section.too_large = sent.hash;
    section.is_wanted = false;
}

void SectionLedger::forget_server() {
    for (auto& [name, section] : sections_) {
        const auto current = std::move(section.current);
        section = Section{};
        section.current = current;
    }
}

}  // namespace synapsex::agent

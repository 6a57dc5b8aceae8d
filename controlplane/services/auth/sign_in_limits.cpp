#include "controlplane/services/auth/sign_in_limits.hpp"

#include <algorithm>

#include "controlplane/services/auth/access_tokens.hpp"
#include "controlplane/services/auth/problems.hpp"
#include "shared/crypto/hash.hpp"
#include "shared/net/ip_address.hpp"

namespace synapsex::auth {

namespace {

using std::chrono::seconds;

constexpr std::int64_t kPruneBatch = 500;
constexpr std::array kRules{
    SignInLimits::kPair, SignInLimits::kAccount, SignInLimits::kPlace
};

// More than these make no wait longer; so a count fades in a time that is known.
constexpr std::int64_t failures_max(const LockRule& rule) {
    std::int64_t failures = rule.failures_free;
    for (auto wait = rule.first; wait < rule.longest; wait *= 2) ++failures;
    return failures;
}

static_assert(std::ranges::all_of(kRules, [](const LockRule& rule) {
    return failures_max(rule) * rule.fades < SignInLimits::kForgottenAfter;
}));

seconds wait_after(const LockRule& rule, std::int64_t failures) {
    if (failures < rule.failures_free) return seconds{0};
    const auto doublings = std::min<std::int64_t>(failures - rule.failures_free, 20);
    return std::min<seconds>(rule.longest, rule.first * (std::int64_t{1} << doublings));
}

std::int64_t left_of(const LockRule& rule, std::int64_t failures, seconds since) {
    return std::max<std::int64_t>(failures - std::max(since, seconds{0}) / rule.fades, 0);
}

}  // namespace

std::string place_of(const std::string& address) {
    const auto parsed = net::IpAddress::parse(address);
    if (!parsed || parsed->is_v4()) return address;
    if (const auto inside = parsed->embedded_v4()) return inside->text();
    std::string half(8, '\0');
    for (std::size_t bit = 0; bit < 64; ++bit)
        if (parsed->bit(bit)) half[bit / 8] = static_cast<char>(half[bit / 8] | 0x80 >> bit % 8);
    return crypto::to_hex(half) + "/64";
}

// Hashed: what was typed for an e-mail address may have been a password.
SignInLimits::Subject SignInLimits::subject_of(
    std::string_view email, const std::string& place
) {
    const std::string account{email};
    return {
        crypto::sha256_hex("pair\n" + place + "\n" + account),
        crypto::sha256_hex("account\n" + account), crypto::sha256_hex("place\n" + place)
    };
}

SignInLimits::Attempt::Attempt(SignInLimits& limits, Subject subject)
    : limits_(&limits), subject_(std::move(subject)) {}

SignInLimits::Attempt::~Attempt() {
    if (limits_) limits_->release(subject_);
}

Result<SignInLimits::Attempt> SignInLimits::enter(const Subject& subject, const Known& known) {
    const auto now = clock_.now();
    const std::lock_guard lock{mutex_};
    for (const auto& row : known.locks) adopt(row, now);
    const std::size_t held_by = known.is_at_home ? 1 : subject.size();
    seconds wait{0};
    for (std::size_t which = 0; which < held_by; ++which)
        if (const auto* count = find(subject[which], now))
            wait = std::max(wait, wait_of(which, *count, now));
    if (wait > seconds{0}) return too_many_attempts(wait);
    for (const auto& id : subject) ++count_of(id).running;
    return Attempt{*this, subject};
}

// Until the next try; those that are under way may fail yet, and count as if they had.
seconds SignInLimits::wait_of(std::size_t which, const Count& count, Timestamp now) const {
    const auto& rule = kRules[which];
    const auto since = std::chrono::floor<seconds>(now - count.failed_at);
    const auto end = count.failed_at + wait_after(rule, count.failures);
    if (end > now) return std::chrono::ceil<seconds>(end - now);
    const bool is_full =
        left_of(rule, count.failures, since) + count.running >= rule.failures_free;
    return is_full && count.running > 0 ? seconds{1} : seconds{0};
}

Result<Done> SignInLimits::Attempt::succeeded(const Call& call) {
    const auto& pair = subject_[0];
    {
        const std::lock_guard lock{limits_->mutex_};
        auto& count = limits_->count_of(pair);
        count.failures = 0;
        if (!std::exchange(count.is_stored, false)) return Done{};
    }
    return limits_->database_.write(call, [&](db::Session& session) -> Result<Done> {
        SessionStore{session}.remove_lock(pair);
        return Done{};
    });
}

Result<Done> SignInLimits::Attempt::failed(const Call& call) {
    const auto now = limits_->clock_.now();
    std::vector<LockRow> begun;
    {
        const std::lock_guard lock{limits_->mutex_};
        for (std::size_t which = 0; which < subject_.size(); ++which) {
            const auto& rule = kRules[which];
            const bool counts = limits_->find(subject_[which], now) != nullptr;
            auto& count = limits_->count_of(subject_[which]);
            const auto since = std::chrono::floor<seconds>(now - count.failed_at);
            const auto before = counts ? left_of(rule, count.failures, since) : 0;
            count.failures = std::min(before + 1, failures_max(rule));
            count.failed_at = now;
            if (count.failures < rule.failures_free) continue;
            count.is_stored = true;
            begun.push_back({count.id, count.failures, now});
        }
    }
    if (begun.empty()) return Done{};
    return limits_->database_.write(call, [&](db::Session& session) -> Result<Done> {
        for (const auto& row : begun)
            SessionStore{session}.put_lock(row, row.failed_at + kForgottenAfter);
        return Done{};
    });
}

void SignInLimits::release(const Subject& subject) {
    const std::lock_guard lock{mutex_};
    for (const auto& id : subject) {
        auto& count = count_of(id);
        --count.running;
        if (count.running > 0 || count.failures > 0) continue;
        const auto found = by_id_.find(id);
        counts_.erase(found->second);
        by_id_.erase(found);
    }
}

// Of another replica, or of this one before a restart.
void SignInLimits::adopt(const LockRow& row, Timestamp now) {
    if (row.failed_at > AccessTokens::latest_issue(now)) return;
    auto& count = count_of(row.lock_id);
    count.is_stored = true;
    if (row.failed_at <= count.failed_at) return;
    count.failures = row.failures;
    count.failed_at = row.failed_at;
}

// What a clock that was ahead has left would hold until that time comes.
const SignInLimits::Count* SignInLimits::find(const std::string& id, Timestamp now) const {
    const auto known = by_id_.find(id);
    if (known == by_id_.end()) return nullptr;
    return known->second->failed_at > AccessTokens::latest_issue(now) ? nullptr : &*known->second;
}

// Makes it, and room for it: of those that nobody is at, the one that was unused for longest.
SignInLimits::Count& SignInLimits::count_of(const std::string& id) {
    if (const auto known = by_id_.find(id); known != by_id_.end()) {
        counts_.splice(counts_.end(), counts_, known->second);
        return *known->second;
    }
    if (counts_.size() >= counts_max_) {
        const auto idle = std::ranges::find(counts_, 0, &Count::running);
        if (idle != counts_.end()) {
            by_id_.erase(idle->id);
            counts_.erase(idle);
        }
    }
    const auto made = counts_.insert(counts_.end(), Count{.id = id});
    by_id_.emplace(id, made);
    return *made;
}

Result<Done> SignInLimits::prune(const Call& call) {
    const auto now = clock_.now();
    const auto prune_batch = [&](db::Session& session) -> Result<std::int64_t> {
        return SessionStore{session}.prune_locks(now, kPruneBatch);
    };
    for (;;) {
        SYNAPSEX_TRY(const auto pruned, database_.write(call, prune_batch));
        if (pruned < kPruneBatch) return Done{};
    }
}

std::size_t SignInLimits::size() const {
    const std::lock_guard lock{mutex_};
    return counts_.size();
}

}  // namespace synapsex::auth

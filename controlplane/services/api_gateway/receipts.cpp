#include "controlplane/services/api_gateway/receipts.hpp"

#include <algorithm>
#include <ranges>

namespace synapsex::api_gateway {

Receipts::Receipts(const Clock& clock) : Receipts(clock, Limits{}) {}
Receipts::Receipts(const Clock& clock, const Limits& limits) : clock_(clock), limits_(limits) {}

void Receipts::keep(Receipt receipt) {
    if (!takes(*receipt.caller)) return;
    receipt.problem.resize(std::min(receipt.problem.size(), limits_.problem_bytes));
    receipt.problem.shrink_to_fit();
    const bool is_refusal = receipt.status >= 400;
    const auto oldest_kept = clock_.now() - limits_.age;

    const std::lock_guard lock{mutex_};
    kept_.push_back(std::move(receipt));
    auto& shelf = shelf_of(kept_.back());
    shelf.push_back(std::prev(kept_.end()));
    const auto most = is_refusal ? limits_.refusals_of_tenant : limits_.others_of_tenant;
    if (shelf.size() > most) drop_oldest_of(shelf);
    while (kept_.size() > limits_.all) drop_oldest();
    while (!kept_.empty() && kept_.front().received_at < oldest_kept) drop_oldest();
}

std::optional<Receipt> Receipts::find(
    std::string_view request_id, const Principal& caller
) const {
    const auto oldest_kept = clock_.now() - limits_.age;
    const auto is_own = [&](const Principal& other) {
        return other.user == caller.user &&
               (other.tenant == caller.tenant || caller.kind == PrincipalKind::user);
    };
    const std::lock_guard lock{mutex_};
    for (const auto& receipt : kept_ | std::views::reverse)
        if (receipt.request_id == request_id && is_own(*receipt.caller) &&
            receipt.received_at >= oldest_kept)
            return receipt;
    return std::nullopt;
}

std::size_t Receipts::size() const {
    const std::lock_guard lock{mutex_};
    return kept_.size();
}

std::deque<Receipts::Kept::iterator>& Receipts::shelf_of(const Receipt& receipt) {
    auto& of_tenant = by_tenant_[receipt.caller->tenant.text()];
    return receipt.status >= 400 ? of_tenant.refusals : of_tenant.others;
}

void Receipts::drop_oldest_of(std::deque<Kept::iterator>& shelf) {
    const auto tenant = shelf.front()->caller->tenant.text();
    kept_.erase(shelf.front());
    shelf.pop_front();
    const auto& of_tenant = by_tenant_.at(tenant);
    if (of_tenant.refusals.empty() && of_tenant.others.empty()) by_tenant_.erase(tenant);
}

// The oldest of all is the oldest on its shelf.
void Receipts::drop_oldest() { drop_oldest_of(shelf_of(kept_.front())); }

}  // namespace synapsex::api_gateway

#pragma once

// What was decided about each request of late, and how long it took: kept in memory for who made
// it, so that "why 403?" has an answer after the fact.

#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "controlplane/platform/auth/call.hpp"
#include "controlplane/services/api_gateway/request_limits.hpp"

namespace synapsex::api_gateway {

struct Receipt {
    std::string request_id;
    Timestamp received_at{};
    std::string method;
    std::string path;
    std::string client_address;
    const api::OperationInfo* operation = nullptr;  // outlives it: a route's
    std::shared_ptr<const Principal> caller;
    CredentialSource credential_source = CredentialSource::memory;
    DecidedBy decided_by = DecidedBy::operation;
    LimitsSeen limits;
    int status = 0;
    std::string problem;  // the document of a refusal or failure
    // From the end of the request's body. What did not happen took no time.
    std::chrono::microseconds waiting{};         // for a worker
    std::chrono::microseconds authentication{};  // for who calls
    std::chrono::microseconds total{};           // until the answer was made
};

// Any thread. What a tenant's callers do crowds out their own receipts before another tenant's.
class Receipts {
 public:
    struct Limits {
        std::size_t all = 8192;               // the oldest go first
        std::size_t refusals_of_tenant = 512;  // and failures: what people ask about
        std::size_t others_of_tenant = 128;
        std::size_t problem_bytes = 2048;      // of a longer document only its beginning is kept
        std::chrono::minutes age{30};
    };
    explicit Receipts(const Clock& clock);
    Receipts(const Clock& clock, const Limits& limits);

    // Of a user or API key; agents call all the time, and who is nobody cannot ask.
    static bool takes(const Principal& caller) {
        return caller.kind == PrincipalKind::user || caller.kind == PrincipalKind::api_key;
    }
    void keep(Receipt receipt);
    // The newest of that id that the caller's user made, by whichever session or API key: in any
    // tenant for who signed in, in its own for an API key.
    std::optional<Receipt> find(std::string_view request_id, const Principal& caller) const;
    std::size_t size() const;

 private:
    using Kept = std::list<Receipt>;
    struct OfTenant {
        std::deque<Kept::iterator> refusals;
        std::deque<Kept::iterator> others;
    };

    std::deque<Kept::iterator>& shelf_of(const Receipt& receipt);
    void drop_oldest_of(std::deque<Kept::iterator>& shelf);
    void drop_oldest();

    const Clock& clock_;
    const Limits limits_;
    mutable std::mutex mutex_;
    Kept kept_;  // oldest first
    std::unordered_map<std::string, OfTenant> by_tenant_;
};

}  // namespace synapsex::api_gateway

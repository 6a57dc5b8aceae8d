#pragma once

// Strong ids: a typed prefix and a ULID in lower case, "vm_01hv3…". They sort by the time they were
// made and say in a log what they name. An id of one kind never converts to another.

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/random.hpp"
#include "shared/base/time.hpp"

namespace synapsex {

// 26 characters of Crockford base32, lower case: 48 bits of milliseconds, then 80 random bits.
std::string make_ulid(Timestamp now, Random& random);
bool is_ulid(std::string_view text);

template <class Tag>
class Id {
 public:
    // An empty id names nothing; columns that may be NULL use std::optional<Id>.
    Id() = default;

    static Id make(Timestamp now, Random& random) {
        return Id{std::string{Tag::kPrefix} + make_ulid(now, random)};
    }
    // nullopt unless the text is the prefix and a well-formed ULID.
    static std::optional<Id> parse(std::string_view text) {
        if (!text.starts_with(Tag::kPrefix)) return std::nullopt;
        if (!is_ulid(text.substr(Tag::kPrefix.size()))) return std::nullopt;
        return Id{std::string{text}};
    }
    // The same ULID under another prefix: the vm of an agent, found again without a look-up.
    template <class Other>
    static Id derived_from(const Id<Other>& other) {
        return Id{std::string{Tag::kPrefix} + std::string{other.ulid()}};
    }

    const std::string& text() const { return text_; }
    std::string_view ulid() const { return std::string_view{text_}.substr(Tag::kPrefix.size()); }
    bool empty() const { return text_.empty(); }

    friend bool operator==(const Id&, const Id&) = default;
    friend auto operator<=>(const Id&, const Id&) = default;

 private:
    explicit Id(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

struct TenantTag { static constexpr std::string_view kPrefix = "ten_"; };
struct UserTag { static constexpr std::string_view kPrefix = "usr_"; };
struct ApiKeyTag { static constexpr std::string_view kPrefix = "key_"; };
struct SessionTag { static constexpr std::string_view kPrefix = "ses_"; };
struct AgentTag { static constexpr std::string_view kPrefix = "agt_"; };
struct VmTag { static constexpr std::string_view kPrefix = "vm_"; };
struct EnrollmentTokenTag { static constexpr std::string_view kPrefix = "ent_"; };
struct RequestTag { static constexpr std::string_view kPrefix = "req_"; };

using TenantId = Id<TenantTag>;
using UserId = Id<UserTag>;
using ApiKeyId = Id<ApiKeyTag>;
using SessionId = Id<SessionTag>;
using AgentId = Id<AgentTag>;
using VmId = Id<VmTag>;
using EnrollmentTokenId = Id<EnrollmentTokenTag>;
using RequestId = Id<RequestTag>;

}  // namespace synapsex

template <class Tag>
struct std::hash<synapsex::Id<Tag>> {
    std::size_t operator()(const synapsex::Id<Tag>& id) const noexcept {
        return std::hash<std::string>{}(id.text());
    }
};

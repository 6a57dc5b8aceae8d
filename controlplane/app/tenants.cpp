#include <algorithm>
#include <charconv>
#include <cstdio>

#include "controlplane/app/commands.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/local_operator.hpp"
#include "controlplane/app/services.hpp"
#include "controlplane/platform/api/codec.hpp"
#include "shared/base/describe.hpp"
#include "shared/crypto/file_key_store.hpp"

namespace synapsex::app {

namespace {

using tenant::AdministeredTenant;
using tenant::AdministeredTenants;

constexpr std::chrono::seconds kBudget{60};
constexpr std::int64_t kPageSize = 500;

template <class T>
T require(Result<T> outcome) {
    if (!outcome) throw StartRefused(outcome.error().detail);
    return *std::move(outcome);
}

// "free, pro, team, enterprise"
template <DescribedEnum E>
std::string joined_names() {
    std::string text;
    for (const auto name : enumerator_names<E>())
        text += (text.empty() ? "" : ", ") + std::string{name};
    return text;
}

template <DescribedEnum E>
E read_word(const std::string& what, const std::string& text) {
    const auto value = parse_enum<E>(text);
    if (!value)
        throw StartRefused(
            "there is no " + what + " \"" + text + "\"; there are " + joined_names<E>()
        );
    return *value;
}

tenant::LimitValue read_value(const std::string& text) {
    if (text == "unlimited") return tenant::kUnlimited;
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end)
        throw StartRefused("\"" + text + "\" is no whole number, and not \"unlimited\"");
    return value;
}

std::optional<Timestamp> read_expiry(const std::string& text) {
    if (text.empty()) return std::nullopt;
    const auto instant = parse_rfc3339(text);
    if (!instant)
        throw StartRefused(
            "--expires is no instant of RFC 3339, as in 2027-01-31T00:00:00Z: \"" + text + "\""
        );
    return instant;
}

std::string shown(const tenant::LimitValue& value) {
    return value ? std::to_string(*value) : "unlimited";
}

void print_list(const std::vector<AdministeredTenant>& tenants) {
    std::size_t width = 4;
    for (const auto& each : tenants) width = std::max(width, each.slug.size());
    const auto slug = static_cast<int>(width);
    std::printf(
        "%-*s  %-10s  %-16s  %7s  %s\n", slug, "SLUG", "PLAN", "STATE", "MEMBERS", "ID"
    );
    for (const auto& each : tenants)
        std::printf(
            "%-*s  %-10s  %-16s  %7lld  %s\n", slug, each.slug.c_str(),
            std::string{enum_name(each.plan)}.c_str(), std::string{enum_name(each.state)}.c_str(),
            static_cast<long long>(each.members), each.id.text().c_str()
        );
}

std::string said_of_state(const AdministeredTenant& tenant) {
    std::string text{enum_name(tenant.state)};
    if (tenant.state == TenantState::active) return text;
    if (tenant.state_since) text += " since " + format_rfc3339(*tenant.state_since);
    text += ", by " + tenant.state_by;
    if (!tenant.state_reason.empty()) text += ": " + tenant.state_reason;
    if (tenant.delete_after) text += "; may be gone after " + format_rfc3339(*tenant.delete_after);
    return text;
}

void print_tenant(const AdministeredTenant& tenant, Timestamp now) {
    std::printf(
        "%s (%s), %s\n"
        "  plan     %s, version %lld\n"
        "  state    %s\n"
        "  members  %lld\n",
        tenant.slug.c_str(), tenant.id.text().c_str(), tenant.name.c_str(),
        std::string{enum_name(tenant.plan)}.c_str(), static_cast<long long>(tenant.plan_version),
        said_of_state(tenant).c_str(), static_cast<long long>(tenant.members)
    );
    for (const auto& each : tenant.overrides) {
        std::string text = shown(each.value);
        if (each.expires_at)
            text += (tenant::counts(each, now) ? ", until " : ", expired at ") +
                    format_rfc3339(*each.expires_at);
        std::printf(
            "  limit    %s %s, by %s: %s\n", std::string{enum_name(each.name)}.c_str(),
            text.c_str(), each.set_by.c_str(), each.reason.c_str()
        );
    }
}

template <class T>
void print_json(const T& value) {
    std::string json;
    api::Codec<T>::write_json(value, json);
    std::printf("%s\n", json.c_str());
}

// Every page of what `next` gives after the key of the last item.
template <class Item, class Next, class KeyOf>
std::vector<Item> all_pages(Next next, KeyOf key_of) {
    std::vector<Item> items;
    for (std::string after;;) {
        auto page = require(next(after, kPageSize));
        const bool is_last = std::ssize(page) < kPageSize;
        if (!is_last) after = key_of(page.back());
        std::ranges::move(page, std::back_inserter(items));
        if (is_last) return items;
    }
}

int list_certificates(
    tenant::TenantAdministration& tenants, const Call& call, const TenantsWish& wish
) {
    using tenant::PurgeCertificate;
    tenant::PurgeCertificates all{all_pages<PurgeCertificate>(
        [&](const std::string& after, std::int64_t limit) {
            return tenants.list_certificates(call, after, limit);
        },
        [](const PurgeCertificate& each) { return each.tenant_id.text(); }
    )};
    if (!wish.tenant.empty())
        std::erase_if(all.items, [&](const PurgeCertificate& each) {
            return each.tenant_id.text() != wish.tenant && each.slug != wish.tenant;
        });
    if (wish.is_json) {
        print_json(all);
        return 0;
    }
    for (const auto& each : all.items)
        std::printf(
            "%s (%s), purged at %s\n  %s\n  sha256  %s\n", each.slug.c_str(),
            each.tenant_id.text().c_str(), format_rfc3339(each.finished_at).c_str(),
            each.certificate.c_str(), each.sha256.c_str()
        );
    return 0;
}

int list(
    tenant::TenantAdministration& tenants, const Call& call, const TenantsWish& wish
) {
    const AdministeredTenants all{all_pages<AdministeredTenant>(
        [&](const std::string& after, std::int64_t limit) {
            return tenants.list(call, after, limit);
        },
        [](const AdministeredTenant& each) { return each.slug; }
    )};
    wish.is_json ? print_json(all) : print_list(all.items);
    return 0;
}

AdministeredTenant carry_out(
    tenant::TenantAdministration& tenants, const Call& call, const TenantsWish& wish
) {
    auto found = require(tenants.find(call, wish.tenant));
    const auto& id = found.id;
    switch (wish.deed) {
        case TenantsDeed::list:
        case TenantsDeed::certificates: break;
        case TenantsDeed::set_plan:
            return require(tenants.set_plan(
                call, id,
                {read_word<tenant::PlanName>("plan", wish.plan), wish.plan_version, wish.reason}
            ));
        case TenantsDeed::set_limit:
            return require(tenants.set_limit(
                call, id,
                {read_word<tenant::LimitName>("limit", wish.limit), read_value(wish.value),
                 wish.reason, read_expiry(wish.expires)}
            ));
        case TenantsDeed::clear_limit:
            return require(tenants.clear_limit(
                call, id, read_word<tenant::LimitName>("limit", wish.limit), wish.reason
            ));
        case TenantsDeed::suspend: return require(tenants.suspend(call, id, wish.reason));
        case TenantsDeed::resume: return require(tenants.resume(call, id, wish.reason));
    }
    return found;
}

}  // namespace

int administer_tenants(const Config& config, const TenantsWish& wish) {
    require_owner(config.data_dir);
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    api::ParkingLot parking;
    wakeups::Board wakeups;
    const crypto::FileKeyStore keys{key_directory(config.data_dir), random};
    const auto identity = load_identity(config.data_dir, keys);
    TaskBook tasks{metrics, clock};
    const Platform platform{clock, random, metrics, parking, tasks, wakeups};
    Services services{platform, config, identity};
    api::Router router;
    services.prepare(router);

    const auto call =
        call_of_local_operator("tenants", wish.sudo_uid, Deadline::after(clock, kBudget));
    auto& tenants = services.tenants().administration();
    if (wish.deed == TenantsDeed::list && wish.tenant.empty()) return list(tenants, call, wish);
    if (wish.deed == TenantsDeed::certificates) return list_certificates(tenants, call, wish);
    const auto tenant = carry_out(tenants, call, wish);
    wish.is_json ? print_json(tenant) : print_tenant(tenant, clock.now());
    return 0;
}

}  // namespace synapsex::app

#include "agent/transport/json_codec.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "shared/crypto/hash.hpp"

namespace synapsex::agent {

namespace json = boost::json;

namespace {

constexpr std::size_t kCodeCharactersMax = 64;
constexpr std::size_t kDetailCharactersMax = 300;
constexpr std::chrono::seconds kLifetimeMax{24 * 3600};

std::optional<json::object> parse_object(std::string_view text) {
    json::error_code error;
    json::parse_options options;
    options.max_depth = 8;
    auto value = json::parse({text.data(), text.size()}, error, {}, options);
    if (error || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

// Empty if there is no such member or it is no string.
std::string text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains({name.data(), name.size()});
    if (value == nullptr || !value->is_string()) return {};
    return {value->get_string().data(), value->get_string().size()};
}

std::vector<std::string> texts_of(const json::object& object, std::string_view name) {
    std::vector<std::string> texts;
    const auto* value = object.if_contains({name.data(), name.size()});
    if (value == nullptr || !value->is_array()) return texts;
    for (const auto& item : value->get_array())
        if (item.is_string())
            texts.emplace_back(item.get_string().data(), item.get_string().size());
    return texts;
}

// Codes are compared, logged and shown on terminals: whatever does not look like one is none.
bool is_code(std::string_view text) {
    const auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    };
    return text.size() <= kCodeCharactersMax && std::ranges::all_of(text, is_allowed);
}

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string write_enrollment(const EnrollmentRequest& request) {
    return json::serialize(json::object{
        {"token", request.token},
        {"name", request.name},
        {"publicKey", request.public_key},
        {"bootId", request.boot_id},
        {"agentVersion", request.agent_version},
        {"platform", "linux"},
    });
}

std::string write_key_offer(const KeyOffer& offer) {
    return json::serialize(json::object{
        {"publicKey", offer.public_key},
        {"formerKeyId", offer.former_key_id},
        {"signature", offer.signature},
        {"proof", offer.proof},
    });
}

std::string write_assertion_claims(
    std::string_view agent_id,
    std::string_view audience,
    std::chrono::seconds issued_at,
    std::chrono::seconds expires_at,
    std::string_view token_id
) {
    return json::serialize(json::object{
        {"iss", view(agent_id)},
        {"sub", view(agent_id)},
        {"aud", view(audience)},
        {"iat", issued_at.count()},
        {"exp", expires_at.count()},
        {"jti", view(token_id)},
    });
}

std::optional<Identity> read_enrolled(std::string_view text) {
    auto identity = read_identity(text);
    if (!identity) return std::nullopt;
    identity->authority_pins.clear();
    identity->authority_pin_setting.clear();
    identity->trust_root.clear();
    return identity;
}

std::optional<Identity> read_identity(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return std::nullopt;
    const auto agent = AgentId::parse(text_of(*object, "agentId"));
    const auto vm = VmId::parse(text_of(*object, "vmId"));
    const auto tenant = TenantId::parse(text_of(*object, "tenantId"));
    if (!agent || !vm || !tenant) return std::nullopt;
    return Identity{
        .agent_id = *agent,
        .vm_id = *vm,
        .tenant_id = *tenant,
        .url = text_of(*object, "url"),
        .issuer = text_of(*object, "issuer"),
        .server_incarnation = text_of(*object, "serverIncarnation"),
        .authority_pins = texts_of(*object, "authorityPins"),
        .authority_pin_setting = text_of(*object, "authorityPinSetting"),
        .trust_root = text_of(*object, "trustRoot"),
    };
}

std::string write_identity(const Identity& identity) {
    const auto& pins = identity.authority_pins;
    return json::serialize(json::object{
        {"agentId", identity.agent_id.text()},
        {"vmId", identity.vm_id.text()},
        {"tenantId", identity.tenant_id.text()},
        {"url", identity.url},
        {"issuer", identity.issuer},
        {"serverIncarnation", identity.server_incarnation},
        {"authorityPins", json::array(pins.begin(), pins.end())},
        {"authorityPinSetting", identity.authority_pin_setting},
        {"trustRoot", identity.trust_root},
    });
}

std::optional<AccessToken> read_token(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return std::nullopt;
    AccessToken token{.text = text_of(*object, "access_token")};
    // It goes into a header: visible ASCII alone.
    for (const char c : token.text)
        if (c <= ' ' || c > '~') return std::nullopt;
    const auto* lifetime = object->if_contains("expires_in");
    if (token.text.empty() || lifetime == nullptr || !lifetime->is_int64()) return std::nullopt;
    if (lifetime->get_int64() < kTokenLifetimeMin.count()) return std::nullopt;
    token.lifetime =
        std::chrono::seconds{std::min<std::int64_t>(lifetime->get_int64(), kLifetimeMax.count())};
    return token;
}

std::string write_time_question(std::string_view nonce) {
    return json::serialize(json::object{{"nonce", view(nonce)}});
}

std::optional<crypto::TimeProof> read_time_proof(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return std::nullopt;
    const auto time = parse_rfc3339(text_of(*object, "time"));
    auto public_key = crypto::from_base64url(text_of(*object, "publicKey"));
    auto signature = crypto::from_base64url(text_of(*object, "signature"));
    if (!time || !public_key || !signature) return std::nullopt;
    return crypto::TimeProof{*time, *std::move(public_key), *std::move(signature)};
}

ProblemText read_problem(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return {};
    auto detail = text_of(*object, "detail");
    if (detail.empty()) detail = text_of(*object, "title");
    if (detail.size() > kDetailCharactersMax) detail.resize(kDetailCharactersMax);
    auto code = text_of(*object, "code");
    if (!is_code(code)) code.clear();
    return {.code = std::move(code), .detail = std::move(detail)};
}

}  // namespace synapsex::agent

#include "controlplane/services/auth/jwt.hpp"

#include <cmath>

#include <boost/json.hpp>

namespace synapsex::auth {

namespace json = boost::json;

namespace {

// The last second of the year 9999: what lies beyond would overflow when it becomes microseconds.
constexpr std::int64_t kSecondsMax = 253'402'300'799;

// Reads members and remembers whether one had the wrong type.
class ObjectReader {
 public:
    explicit ObjectReader(const json::object& object) : object_(object) {}

    void read(std::string_view name, std::string& out) {
        const auto* value = object_.if_contains(name);
        if (!value) return;
        if (const auto* text = value->if_string()) out = std::string_view{*text};
        else is_good_ = false;
    }

    void read(std::string_view name, std::vector<std::string>& out) {
        const auto* value = object_.if_contains(name);
        if (!value) return;
        if (const auto* text = value->if_string()) {
            out.emplace_back(std::string_view{*text});
            return;
        }
        const auto* list = value->if_array();
        is_good_ = is_good_ && list;
        if (!list) return;
        for (const auto& item : *list) {
            const auto* text = item.if_string();
            is_good_ = is_good_ && text;
            if (text) out.emplace_back(std::string_view{*text});
        }
    }

    void read(std::string_view name, std::optional<std::int64_t>& out) {
        const auto* value = object_.if_contains(name);
        if (!value) return;
        if (const auto* whole = value->if_int64()) out = *whole;
        else if (const auto* real = value->if_double();
                 real && *real >= 0 && *real <= static_cast<double>(kSecondsMax))
            out = static_cast<std::int64_t>(std::floor(*real));
        is_good_ = is_good_ && out && *out >= 0 && *out <= kSecondsMax;
    }

    bool is_good() const { return is_good_; }

 private:
    const json::object& object_;
    bool is_good_ = true;
};

bool read_claims(std::string_view payload, JwtClaims& claims) {
    json::parse_options options;
    options.max_depth = 4;
    boost::system::error_code error;
    const auto value = json::parse(payload, error, {}, options);
    if (error || !value.is_object()) return false;
    ObjectReader reader{value.get_object()};
    reader.read("iss", claims.iss);
    reader.read("sub", claims.sub);
    reader.read("aud", claims.aud);
    reader.read("iat", claims.iat);
    reader.read("exp", claims.exp);
    reader.read("nbf", claims.nbf);
    reader.read("jti", claims.jti);
    reader.read("sid", claims.sid);
    reader.read("tid", claims.tid);
    reader.read("agent_key", claims.agent_key);
    return reader.is_good();
}

json::object to_object(const JwtClaims& claims) {
    json::object object;
    const auto put_text = [&](std::string_view name, const std::string& text) {
        if (!text.empty()) object.emplace(name, text);
    };
    const auto put_seconds = [&](std::string_view name, const std::optional<std::int64_t>& at) {
        if (at) object.emplace(name, *at);
    };
    put_text("iss", claims.iss);
    put_text("sub", claims.sub);
    if (claims.aud.size() == 1) object.emplace("aud", claims.aud.front());
    else if (!claims.aud.empty()) object.emplace("aud", json::value_from(claims.aud));
    put_seconds("iat", claims.iat);
    put_seconds("exp", claims.exp);
    put_seconds("nbf", claims.nbf);
    put_text("jti", claims.jti);
    put_text("sid", claims.sid);
    put_text("tid", claims.tid);
    put_text("agent_key", claims.agent_key);
    return object;
}

}  // namespace

std::optional<Jwt> parse_jwt(std::string_view text) {
    if (text.size() > kJwtBytesMax) return std::nullopt;
    auto signed_claims = jws::parse(text);
    if (!signed_claims) return std::nullopt;
    Jwt jwt{*std::move(signed_claims), {}};
    if (!read_claims(jwt.payload, jwt.claims)) return std::nullopt;
    return jwt;
}

std::string sign_jwt(
    const crypto::Signer& signer,
    std::string_view typ,
    std::string_view kid,
    const JwtClaims& claims
) {
    return jws::sign(signer, typ, kid, json::serialize(to_object(claims)));
}

}  // namespace synapsex::auth

#include "controlplane/platform/idempotency/sealed_reply.hpp"

#include <boost/describe.hpp>
#include <vector>

#include "controlplane/platform/api/codec_impl.hpp"
#include "controlplane/platform/db/query.hpp"
#include "shared/crypto/seal.hpp"

namespace synapsex::idempotency {

struct KeptHeader {
    std::string name;
    std::string value;
};
BOOST_DESCRIBE_STRUCT(KeptHeader, (), (name, value))

struct KeptReply {
    std::string content_type;
    std::vector<KeptHeader> headers;
    std::string body;
};
BOOST_DESCRIBE_STRUCT(KeptReply, (), (content_type, headers, body))

namespace {

crypto::SealingKey sealing_key(std::string_view key) {
    return crypto::SealingKey::derive(key, "synapsex.stored-answer");
}

}  // namespace

std::string seal_reply(
    const api::Reply& reply, std::string_view key, std::string_view place, Random& random
) {
    KeptReply kept{reply.content_type, {}, std::string{reply.bytes()}};
    for (const auto& [name, value] : reply.headers) kept.headers.push_back({name, value});
    std::string text;
    api::Codec<KeptReply>::write_json(kept, text);
    return crypto::seal(sealing_key(key), text, place, random);
}

api::Reply open_reply(std::string_view sealed, std::string_view key, std::string_view place) {
    const auto text = crypto::open(sealing_key(key), sealed, place);
    if (!text) throw db::DatabaseError("a stored answer does not open");
    auto kept = api::Codec<KeptReply>::read_json(*text, api::Unknown::reject).value();
    api::Reply reply{.content_type = std::move(kept.content_type), .body = std::move(kept.body)};
    for (auto& header : kept.headers)
        reply.headers.emplace_back(std::move(header.name), std::move(header.value));
    return reply;
}

}  // namespace synapsex::idempotency

#include "controlplane/platform/outbox/message.hpp"

#include "controlplane/platform/db/query.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::outbox {

std::string hash_of(const NumberedMessage& message) {
    // Each member with its length before it, so that no two messages make one text.
    std::string text;
    for_each_member<NumberedMessage>([&](std::string_view, std::string_view, auto member) {
        const auto value = db::to_value(message.*member);
        const auto* number = std::get_if<std::int64_t>(&value.data);
        const auto part = number ? std::to_string(*number) : std::get<std::string>(value.data);
        text += std::to_string(part.size());
        text += ':';
        text += part;
    });
    return crypto::sha256_hex(text);
}

}  // namespace synapsex::outbox

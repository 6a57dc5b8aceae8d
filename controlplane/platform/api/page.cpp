#include "controlplane/platform/api/page.hpp"

#include "shared/crypto/hash.hpp"

namespace synapsex::api {

std::string encode_cursor(std::string_view key) { return crypto::to_base64url(key); }

Result<std::string> decode_cursor(
    const std::optional<Cursor>& cursor, bool (*is_key)(std::string_view)
) {
    if (!cursor) return std::string{};
    auto key = crypto::from_base64url(cursor->value);
    if (!key || !is_key(*key)) {
        return Problem{
            Kind::invalid, "request.cursor_invalid",
            "The cursor is not one that this list has given.",
            {{"cursor", "malformed", "Pass nextCursor of the page before, unchanged."}}
        };
    }
    return *std::move(key);
}

}  // namespace synapsex::api

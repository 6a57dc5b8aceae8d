#pragma once

// What an agent signs with its key besides the assertions that fetch its access tokens. Each text
// begins with a line that nothing else begins with, so a signature for one purpose is none for
// another; members hold no line break.

#include <cstdint>
#include <string>
#include <string_view>

namespace synapsex::crypto {

// "From now on this is my key." Signed twice, by the key that it replaces and by the new one, which
// proves that the agent has both:
//
//   synapsex-agent-key-v1
//   <agent id>
//   <issuer of the control plane>
//   <id of the key that is replaced>
//   <new public key, base64url>
struct KeyChange {
    std::string_view agent_id;
    std::string_view issuer;
    std::string_view former_key_id;
    std::string_view public_key;
};
std::string statement_of(const KeyChange& change);

// "This is so on my VM." What is said is the content, bytes of an InventorySection of agent.proto;
// when it was said is a time of the control plane's clock, in microseconds since 1970:
//
//   synapsex-inventory-v1
//   <agent id>
//   <section>
//   <signed at>
//   <SHA-256 of the content, hex>
struct SectionReport {
    std::string_view agent_id;
    std::string_view section;
    std::int64_t signed_at_us = 0;
    std::string_view content;
};
std::string statement_of(const SectionReport& report);

}  // namespace synapsex::crypto

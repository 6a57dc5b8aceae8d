#pragma once

// A JSON text as a light tree: what a reader needs to find every mistake and say where it stands.
// Unlike a boost::json::value it keeps duplicate keys and the text of numbers, and it copies no
// string that stands unescaped in the text.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/api/field_problems.hpp"
#include "controlplane/platform/api/wide_integer.hpp"
#include "shared/base/result.hpp"

namespace synapsex::api {

inline constexpr std::size_t kJsonDepthMax = 32;
inline constexpr std::size_t kJsonNodesMax = 200'000;

enum class JsonKind : std::uint8_t { null, boolean, integer, number, string, array, object };

struct JsonNode {
    static constexpr std::uint32_t kNone = UINT32_MAX;

    JsonKind kind = JsonKind::null;
    bool is_true = false;       // boolean
    bool is_duplicate = false;  // an earlier sibling has the same key
    std::uint32_t parent = kNone;
    std::uint32_t first_child = kNone;
    std::uint32_t next = kNone;
    std::uint32_t children = 0;
    std::string_view key{};   // of a member of an object
    std::string_view text{};  // of a string: decoded; of a number: as written
    WideInteger integer{};    // integer
    double number = 0;        // integer and number
};

class JsonDocument {
 public:
    // `text` outlives the document. A failure is Kind::invalid "request.malformed": no JSON, too
    // deep, too many values, invalid UTF-8.
    static Result<JsonDocument> parse(std::string_view text);

    const JsonNode& root() const { return nodes_.front(); }
    const JsonNode* first_child(const JsonNode& node) const { return at(node.first_child); }
    const JsonNode* next(const JsonNode& node) const { return at(node.next); }
    // RFC 6901; empty for the root.
    std::string pointer_of(const JsonNode& node) const;
    // Adds what is wrong wherever it stands: duplicate keys, NUL in strings and keys.
    void report_flaws(FieldProblems& problems) const;

 private:
    friend class JsonDocumentBuilder;
    const JsonNode* at(std::uint32_t index) const {
        return index == JsonNode::kNone ? nullptr : &nodes_[index];
    }

    std::vector<JsonNode> nodes_;      // in the order of the text
    std::deque<std::string> strings_;  // those that had escapes
    std::vector<std::uint32_t> flawed_;
};

}  // namespace synapsex::api

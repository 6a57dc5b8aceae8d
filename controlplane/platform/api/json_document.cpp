#include "controlplane/platform/api/json_document.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <limits>
#include <tuple>

#include "shared/base/utf8.hpp"

namespace synapsex::api {

// Receives what boost::json::basic_parser finds.
class JsonDocumentBuilder {
 public:
    using Error = boost::json::error_code;
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    explicit JsonDocumentBuilder(std::string_view text) : text_(text) {
        document_.nodes_.reserve(std::min<std::size_t>(text.size() / 12 + 4, 4096));
    }
    JsonDocument&& take() { return std::move(document_); }
    bool has_too_many() const { return document_.nodes_.size() >= kJsonNodesMax; }

    bool on_document_begin(Error&) { return true; }
    bool on_document_end(Error&) { return true; }
    bool on_object_begin(Error& error) { return open(JsonKind::object, error); }
    bool on_array_begin(Error& error) { return open(JsonKind::array, error); }
    bool on_object_end(std::size_t, Error&) {
        mark_duplicates(open_.back().node);
        open_.pop_back();
        return true;
    }
    bool on_array_end(std::size_t, Error&) {
        open_.pop_back();
        return true;
    }
    bool on_key_part(boost::json::string_view part, std::size_t, Error&) {
        parts_.append(part.data(), part.size());
        return true;
    }
    bool on_key(boost::json::string_view part, std::size_t, Error&) {
        key_ = finish_text(part);
        is_key_flawed_ = has_nul(key_);
        return true;
    }
    bool on_string_part(boost::json::string_view part, std::size_t, Error&) {
        parts_.append(part.data(), part.size());
        return true;
    }
    bool on_string(boost::json::string_view part, std::size_t, Error& error) {
        auto* node = add(JsonKind::string, error);
        if (!node) return false;
        node->text = finish_text(part);
        if (has_nul(node->text)) flaw_last();
        return true;
    }
    bool on_number_part(boost::json::string_view, Error&) { return true; }
    bool on_int64(std::int64_t value, boost::json::string_view text, Error& error) {
        return add_integer(widen(value), text, error);
    }
    bool on_uint64(std::uint64_t value, boost::json::string_view text, Error& error) {
        return add_integer(widen(value), text, error);
    }
    bool on_double(double value, boost::json::string_view text, Error& error) {
        auto* node = add(JsonKind::number, error);
        if (!node) return false;
        node->text = {text.data(), text.size()};
        // Boost.JSON 1.81 may be off in the last digit; the library's own conversion is exact.
        node->number = value;
        std::from_chars(text.data(), text.data() + text.size(), node->number);
        return true;
    }
    bool on_bool(bool value, Error& error) {
        auto* node = add(JsonKind::boolean, error);
        if (!node) return false;
        node->is_true = value;
        return true;
    }
    bool on_null(Error& error) { return add(JsonKind::null, error) != nullptr; }
    bool on_comment_part(boost::json::string_view, Error&) { return true; }
    bool on_comment(boost::json::string_view, Error&) { return true; }

 private:
    struct Open {
        std::uint32_t node;
        std::uint32_t last_child = JsonNode::kNone;
    };

    static bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

    // nullptr once the document holds too many values.
    JsonNode* add(JsonKind kind, Error& error) {
        auto& nodes = document_.nodes_;
        if (has_too_many()) {
            error = boost::json::error::array_too_large;
            return nullptr;
        }
        const auto index = static_cast<std::uint32_t>(nodes.size());
        auto& node = nodes.emplace_back();
        node.kind = kind;
        if (!open_.empty()) {
            auto& open = open_.back();
            auto& parent = nodes[open.node];
            node.parent = open.node;
            if (parent.kind == JsonKind::object) node.key = key_;
            (open.last_child == JsonNode::kNone ? parent.first_child : nodes[open.last_child].next
            ) = index;
            open.last_child = index;
            ++parent.children;
        }
        if (is_key_flawed_) flaw_last();
        is_key_flawed_ = false;
        return &node;
    }

    bool add_integer(WideInteger value, boost::json::string_view text, Error& error) {
        auto* node = add(JsonKind::integer, error);
        if (!node) return false;
        node->integer = value;
        node->number = to_double(value);
        node->text = {text.data(), text.size()};
        return true;
    }

    bool open(JsonKind kind, Error& error) {
        if (!add(kind, error)) return false;
        open_.push_back({static_cast<std::uint32_t>(document_.nodes_.size() - 1)});
        return true;
    }

    void flaw_last() { flaw(static_cast<std::uint32_t>(document_.nodes_.size() - 1)); }
    void flaw(std::uint32_t index) {
        if (document_.flawed_.size() <= FieldProblems::kMax) document_.flawed_.push_back(index);
    }

    // The whole of a string or key: a view of the text where it stands there unescaped.
    std::string_view finish_text(boost::json::string_view last) {
        const std::less_equal<const char*> before;
        const bool is_in_text = before(text_.data(), last.data()) &&
                                before(last.data() + last.size(), text_.data() + text_.size());
        if (parts_.empty() && is_in_text) return {last.data(), last.size()};
        parts_.append(last.data(), last.size());
        document_.strings_.push_back(std::move(parts_));
        parts_.clear();
        return document_.strings_.back();
    }

    void mark_duplicates(std::uint32_t object) {
        constexpr std::uint32_t kFewChildren = 16;
        auto& nodes = document_.nodes_;
        if (nodes[object].children > kFewChildren) return mark_duplicates_of_many(object);
        for (auto i = nodes[object].first_child; i != JsonNode::kNone; i = nodes[i].next)
            for (auto j = nodes[object].first_child; j != i && !nodes[i].is_duplicate;
                 j = nodes[j].next)
                if (nodes[j].key == nodes[i].key) mark_duplicate(i);
    }

    // By sorting: a hash table has keys that collide, and callers choose the keys.
    void mark_duplicates_of_many(std::uint32_t object) {
        auto& nodes = document_.nodes_;
        std::vector<std::uint32_t> members;
        for (auto i = nodes[object].first_child; i != JsonNode::kNone; i = nodes[i].next)
            members.push_back(i);
        std::sort(members.begin(), members.end(), [&](std::uint32_t a, std::uint32_t b) {
            return std::tie(nodes[a].key, a) < std::tie(nodes[b].key, b);
        });
        for (std::size_t i = 1; i < members.size(); ++i)
            if (nodes[members[i]].key == nodes[members[i - 1]].key) mark_duplicate(members[i]);
    }

    void mark_duplicate(std::uint32_t index) {
        document_.nodes_[index].is_duplicate = true;
        flaw(index);
    }

    std::string_view text_;
    JsonDocument document_;
    std::vector<Open> open_;
    std::string parts_;
    std::string_view key_;
    bool is_key_flawed_ = false;
};

namespace {

Problem malformed(std::string_view code, std::string detail) {
    Problem problem{.kind = Kind::invalid, .code = "request.malformed", .detail = detail};
    problem.errors.push_back({"", std::string{code}, std::move(detail)});
    return problem;
}

Problem describe_failure(
    std::string_view text, std::size_t offset, const boost::json::error_code& error
) {
    const auto where = " at byte " + std::to_string(offset) + ".";
    if (text.starts_with("\xEF\xBB\xBF"))
        return malformed(
            "byte_order_mark", "The body starts with a byte order mark; JSON has none."
        );
    if (!count_code_points(text))
        return malformed("invalid_utf8", "The body is not UTF-8; reading stopped" + where);
    if (error == boost::json::error::too_deep)
        return malformed(
            "too_deep",
            "The body is nested more than " + std::to_string(kJsonDepthMax) + " levels deep" + where
        );
    if (error == boost::json::error::array_too_large)
        return malformed(
            "too_many_values",
            "The body has more than " + std::to_string(kJsonNodesMax) + " values" + where
        );
    if (error == boost::json::error::incomplete)
        return malformed("syntax", "The body is not JSON: it ends too early," + where);
    if (error == boost::json::error::extra_data)
        return malformed("syntax", "The body is not JSON: something follows its value" + where);
    return malformed("syntax", "The body is not JSON: " + error.message() + where);
}

}  // namespace

Result<JsonDocument> JsonDocument::parse(std::string_view text) {
    boost::json::parse_options options;
    options.max_depth = kJsonDepthMax;
    boost::json::basic_parser<JsonDocumentBuilder> parser{options, text};
    boost::json::error_code error;
    const auto used = parser.write_some(false, text.data(), text.size(), error);
    if (!error && used < text.size()) error = boost::json::error::extra_data;
    if (error) return describe_failure(text, used, error);
    return parser.handler().take();
}

std::string JsonDocument::pointer_of(const JsonNode& node) const {
    if (node.parent == JsonNode::kNone) return {};
    const auto& parent = nodes_[node.parent];
    auto pointer = pointer_of(parent);
    if (parent.kind == JsonKind::object) {
        append_pointer(pointer, node.key);
        return pointer;
    }
    std::size_t index = 0;
    for (auto i = parent.first_child; &nodes_[i] != &node; i = nodes_[i].next) ++index;
    append_pointer(pointer, std::to_string(index));
    return pointer;
}

void JsonDocument::report_flaws(FieldProblems& problems) const {
    for (const auto index : flawed_) {
        const auto& node = nodes_[index];
        if (node.is_duplicate)
            problems.add(pointer_of(node), {"duplicate_key", "stands more than once"});
        else
            problems.add(pointer_of(node), {"nul", "contains U+0000"});
    }
}

}  // namespace synapsex::api

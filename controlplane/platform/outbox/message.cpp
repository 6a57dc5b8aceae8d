#include "controlplane/platform/outbox/message.hpp"

#include <charconv>

#include "controlplane/platform/api/json_document.hpp"
#include "controlplane/platform/api/json_writer.hpp"
#include "controlplane/platform/db/query.hpp"
#include "shared/base/utf8.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::outbox {

namespace {

void add_text(std::string& json, std::string_view key, std::string_view text) {
    if (text.empty()) return;
    // Quoting would make something else of it.
    if (text.find('\0') != text.npos || !count_code_points(text))
        throw db::DatabaseError(
            "a message whose " + std::string{key} + " has a zero byte, or is no UTF-8"
        );
    json += json.empty() ? "{\"" : ",\"";
    json += key;
    json += "\":";
    api::append_quoted(json, text);
}

void add_number(std::string& json, std::string_view key, std::int64_t number) {
    if (number == 0) return;
    json += json.empty() ? "{\"" : ",\"";
    json += key;
    json += "\":";
    json += std::to_string(number);
}

db::DatabaseError broken(std::string_view line) {
    return db::DatabaseError("the outbox holds no message: " + std::string{line.substr(0, 200)});
}

std::string to_json(const Message& message) {
    constexpr std::size_t kUsual = 640;
    std::string json;
    json.reserve(kUsual + message.data.size());
    for_each_member<Message>([&](std::string_view key, std::string_view, auto member) {
        const auto& value = message.*member;
        using Member = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::same_as<Member, std::string>) add_text(json, key, value);
        else if constexpr (DescribedEnum<Member>) add_text(json, key, enum_name(value));
        else if constexpr (db::IsId<Member>::value) add_text(json, key, value.text());
        else if constexpr (std::same_as<Member, Timestamp>) add_number(json, key, to_micros(value));
        else add_number(json, key, value);
    });
    json += '}';
    return json;
}

Message parse_message(std::string_view json) {
    const auto document = api::JsonDocument::parse(json);
    if (!document || document->root().kind != api::JsonKind::object) throw broken(json);
    Message message;
    message.schema_version = 0;
    for (const auto* node = document->first_child(document->root()); node;
         node = document->next(*node)) {
        const db::Value value =
            node->kind == api::JsonKind::integer
                ? db::Value{db::ValueType::integer, static_cast<std::int64_t>(node->integer.bits)}
                : db::Value{db::ValueType::text, std::string{node->text}};
        for_each_member<Message>([&](std::string_view key, std::string_view column, auto member) {
            using Member = std::remove_cvref_t<decltype(message.*member)>;
            if (key == node->key) message.*member = db::from_value<Member>(value, column);
        });
    }
    return message;
}

}  // namespace

std::string_view take_word(std::string_view& line) {
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
    return word;
}

std::string posted_line(const Message& message) {
    return std::string{enum_name(message.kind)} + ' ' + to_json(message);
}

Message parse_posted_line(std::string_view line) {
    take_word(line);
    return parse_message(line);
}

std::string numbered_line(
    std::int64_t sequence, std::string_view prev_hash, std::string_view json
) {
    std::string line = std::to_string(sequence);
    line.reserve(line.size() + prev_hash.size() + json.size() + 2);
    line += ' ';
    line += prev_hash;
    line += ' ';
    line += json;
    return line;
}

NumberedMessage parse_numbered_line(std::string_view line) {
    auto rest = line;
    const auto sequence = take_word(rest);
    const auto prev_hash = take_word(rest);
    NumberedMessage message;
    static_cast<Message&>(message) = parse_message(rest);
    message.prev_hash = prev_hash;
    message.hash = crypto::sha256_hex(line);
    const auto* const end = sequence.data() + sequence.size();
    const auto parsed = std::from_chars(sequence.data(), end, message.sequence);
    if (parsed.ec != std::errc{} || parsed.ptr != end) throw broken(line);
    return message;
}

}  // namespace synapsex::outbox

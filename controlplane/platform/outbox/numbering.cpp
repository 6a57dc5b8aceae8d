#include "controlplane/platform/outbox/numbering.hpp"

#include "shared/crypto/hash.hpp"

namespace synapsex::outbox {

void Numbering::add(std::string_view lines) {
    for_each_line(lines, [&](std::string_view line) { add_line(line); });
}

void Numbering::add_line(std::string_view line) {
    auto json = line;
    const auto kind = parse_enum<MessageKind>(take_word(json));
    if (!kind) throw db::DatabaseError("a message without a kind: " + std::string{line});
    const auto numbered = numbered_line(++head_.sequence, head_.hash, json);
    head_.hash = crypto::sha256_hex(numbered);
    auto& of_kind = of_kinds_.at(static_cast<std::size_t>(*kind));
    of_kind.kind = *kind;
    ++of_kind.messages;
    of_kind.lines += numbered;
    of_kind.lines += '\n';
}

std::vector<Numbered> Numbering::finish() {
    std::vector<Numbered> all;
    for (auto& of_kind : of_kinds_) {
        if (of_kind.messages == 0) continue;
        of_kind.through = head_.sequence;
        all.push_back(std::move(of_kind));
    }
    return all;
}

}  // namespace synapsex::outbox

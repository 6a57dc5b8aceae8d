#pragma once

// Every statement about the outbox's tables.

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/outbox/message.hpp"

namespace synapsex::outbox {

struct Head {
    std::int64_t sequence = 0;
    std::string hash;
};
BOOST_DESCRIBE_STRUCT(Head, (), (sequence, hash))

// Up to which number messages of each kind may go; 0: none of them.
struct Through {
    std::int64_t change = 0;
    std::int64_t event = 0;
    std::int64_t audit = 0;
    std::int64_t usage = 0;

    std::int64_t last() const { return std::max({change, event, audit, usage}); }
};

class OutboxStore {
 public:
    explicit OutboxStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    void insert(const Message& message);

    // The last number that was given.
    Head get_head();
    void set_head(const Head& head);
    // Without a number, in the order of their ids.
    std::vector<Message> list_unnumbered(std::int64_t limit);
    // All in one statement; how many of them had none yet.
    std::int64_t set_numbers(std::span<const NumberedMessage> messages);

    // Numbered ones of the stream after `sequence`, in order.
    std::vector<NumberedMessage> list_after(
        Stream stream, std::int64_t sequence, std::int64_t limit
    );
    // 0 for a consumer that has had nothing.
    std::int64_t find_cursor(std::string_view consumer);
    void set_cursor(std::string_view consumer, std::int64_t sequence);

    // Removes the `limit` oldest numbered messages of all that may go, whatever their kind; how
    // many.
    std::int64_t remove_through(const Through& through, std::int64_t limit);
    // All that are there, counted up to `most`.
    std::int64_t count(std::int64_t most);
    // When the first message without a number, or the first of the stream after `sequence`,
    // happened.
    std::optional<Timestamp> find_oldest_unnumbered();
    std::optional<Timestamp> find_oldest_after(Stream stream, std::int64_t sequence);

 private:
    db::Session& session_;
};

}  // namespace synapsex::outbox

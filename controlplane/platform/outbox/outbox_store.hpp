#pragma once

// Every statement about the outbox's tables.

#include <algorithm>
#include <limits>
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

// Messages that are moved together: a posting, or a step's numbered ones.
struct Bundle {
    std::int64_t through = 0;  // the posting's id, or the step's last number
    std::int64_t messages = 0;
    std::int64_t size = 0;  // characters
};
BOOST_DESCRIBE_STRUCT(Bundle, (), (through, messages, size))

// What was committed together, without numbers.
struct Posting {
    std::int64_t posting_id = 0;
    std::string lines;
};
BOOST_DESCRIBE_STRUCT(Posting, (), (posting_id, lines))

// The messages of one kind in a step of the relay.
struct Numbered {
    std::int64_t through = 0;
    MessageKind kind = MessageKind::change;
    std::int64_t messages = 0;
    std::string lines;
};

// Up to which number messages of each kind may go; 0: none of them.
struct Through {
    std::int64_t change = 0;
    std::int64_t event = 0;
    std::int64_t audit = 0;
    std::int64_t usage = 0;
    // Up to here all that may go has gone: what stays behind it is not looked at.
    std::int64_t after = 0;

    std::int64_t last() const { return std::max({change, event, audit, usage}); }
    Through up_to(std::int64_t number) const {
        return {std::min(change, number), std::min(event, number), std::min(audit, number),
                std::min(usage, number), after};
    }
    // Up to where none may go that could not before.
    std::int64_t first_new(const Through& before) const {
        auto first = std::numeric_limits<std::int64_t>::max();
        for (const auto kind : {&Through::change, &Through::event, &Through::audit,
                                &Through::usage})
            if (this->*kind > before.*kind) first = std::min(first, before.*kind);
        return first;
    }
};

class OutboxStore {
 public:
    explicit OutboxStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // There once the transaction has committed. Throws DatabaseError for text that is no UTF-8 or
    // has a zero byte.
    void post(const Message& message);

    // The last number that was given.
    Head get_head();
    void set_head(const Head& head);
    // Without numbers, oldest first, `limit` postings at most.
    std::vector<Bundle> list_posted(std::int64_t limit);
    // All up to this posting, in order; they are gone then.
    std::vector<Posting> take_posted(std::int64_t through);
    void insert_numbered(const Numbered& numbered);

    // Steps with numbered messages of the stream after `sequence`, in order.
    std::vector<Bundle> list_after(Stream stream, std::int64_t sequence, std::int64_t limit);
    // Their messages from then on, up to the step that ends with `through`.
    std::vector<NumberedMessage> read_after(
        Stream stream, std::int64_t sequence, std::int64_t through
    );
    // 0 for a consumer that has had nothing.
    std::int64_t find_cursor(std::string_view consumer);
    void set_cursor(std::string_view consumer, std::int64_t sequence);

    // Steps with messages that may go, oldest first.
    std::vector<Bundle> list_removable(const Through& through, std::int64_t limit);
    void remove(const Through& through);
    // All that are there; of more than `most` postings and steps, some.
    std::int64_t count(std::int64_t most);
    // When the first message without a number, or the first of the stream after `sequence`,
    // happened.
    std::optional<Timestamp> find_oldest_posted();
    std::optional<Timestamp> find_oldest_after(Stream stream, std::int64_t sequence);

 private:
    db::Session& session_;
};

}  // namespace synapsex::outbox

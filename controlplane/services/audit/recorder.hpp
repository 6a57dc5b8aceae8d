#pragma once

// Makes entries of messages. The relay of every database hands it theirs, each at least once and in
// the order of its database; relays of several databases come side by side, and one that was
// stopped may come late.

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/outbox/consumer.hpp"

namespace synapsex::audit {

// Of a message's data, in bytes.
inline constexpr std::size_t kDataMax = 8 * 1024;

class Recorder final : public outbox::Consumer {
 public:
    explicit Recorder(db::Database& database) : database_(database) {}

    std::string_view name() const override { return "audit.recorder"; }
    outbox::Stream stream() const override { return outbox::Stream::audit; }
    Result<Done> consume(
        const Call& call, std::span<const outbox::NumberedMessage> messages
    ) override;

 private:
    db::Database& database_;
};

}  // namespace synapsex::audit

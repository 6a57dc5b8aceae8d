#pragma once

// What a service has told so far, oldest first: messages that no relay has numbered yet.

#include <vector>

#include "controlplane/platform/outbox/message.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::testing {

inline std::vector<outbox::Message> posted_messages(TestDatabase& database) {
    static constexpr db::Query kList{
        "test.list_posted", "SELECT lines FROM platform_outbox_posted ORDER BY posting_id"};
    return database.in_read([](db::Session& session) {
        std::vector<outbox::Message> messages;
        const auto rows = session.query(kList);
        for (std::size_t i = 0; i < rows.size(); ++i)
            outbox::for_each_line(rows[i].get<std::string>("lines"), [&](std::string_view line) {
                messages.push_back(outbox::parse_posted_line(line));
            });
        return messages;
    });
}

}  // namespace synapsex::testing

#include "controlplane/platform/wakeups/wakeups.hpp"

#include <array>
#include <stdexcept>
#include <vector>

#include "shared/base/log.hpp"

namespace synapsex::wakeups {

namespace {

// A pair: SQLite has one process, which has acted already, and no such function.
constexpr db::Query kTell{
    "wakeups.tell", "SELECT $1 AS channel, $2 AS hint", "SELECT pg_notify($1, $2)"};
constexpr std::array kQueries{&kTell};

}  // namespace

std::span<const db::Query* const> queries() { return kQueries; }

void tell(db::Session& session, Topic topic, std::string_view text) {
    if (text.size() > kTextMax || text.find('\0') != text.npos)
        throw std::logic_error("no hint: " + std::string{topic.name});
    session.query(kTell, kChannel, std::string{topic.name} + ' ' + std::string{text});
}

void Board::on(Topic topic, Listener listener) {
    const std::lock_guard lock{mutex_};
    listeners_.emplace(topic.name, std::move(listener));
}

void Board::deliver(std::string_view hint) const {
    const auto space = hint.find(' ');
    if (space == hint.npos) return;
    std::vector<Listener> listeners;
    {
        const std::lock_guard lock{mutex_};
        const auto [first, last] = listeners_.equal_range(hint.substr(0, space));
        for (auto it = first; it != last; ++it) listeners.push_back(it->second);
    }
    for (const auto& listener : listeners) {
        try {
            listener(hint.substr(space + 1));
        } catch (const std::exception& error) {
            log_error("a listener to wake-ups threw", {{"error", error.what()}});
        }
    }
}

}  // namespace synapsex::wakeups

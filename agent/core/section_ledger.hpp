#pragma once

// Knows of each inventory section what it is now, what the server has heard of it, and whether the
// server wants its content. What has not changed is not sent.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/messages.hpp"
#include "agent/core/waits.hpp"

namespace synapsex::agent {

class SectionLedger {
 public:
    SectionLedger(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

    // The section as it was just collected.
    void set_current(const SectionHash& current);
    // The hashes that the server has not heard of.
    std::vector<SectionHash> unannounced() const;
    void on_announced(const std::vector<SectionHash>& hashes);

    // Unknown names are ignored: a newer server may know sections that this agent has not.
    void want(const std::vector<std::string>& sections);
    // The next section to send, if any is due, as it is known.
    std::optional<SectionHash> due() const;
    void on_stored(const SectionHash& stored);
    // The one that is due takes long to collect, and the others would wait for it: none is due for
    // a while.
    void postpone();
    void on_refused(const SectionHash& sent, const CallFailure& failure);

    // Another incarnation of the server: it may know nothing of what was said before.
    void forget_server();

 private:
    struct Section {
        std::string current;
        std::string announced;
        bool is_wanted = false;
        std::string too_large;        // this content was refused for its size
        std::string stored;           // this content was taken last, then
        SteadyTime stored_at{};
        SteadyTime not_before{};      // after a refusal
        Backoff backoff{std::chrono::minutes{1}, std::chrono::hours{1}};
    };
    bool is_pointless(const Section& section) const;

    const Clock& clock_;
    Random& random_;
    std::map<std::string, Section> sections_;
    SteadyTime not_before_{};
};

}  // namespace synapsex::agent

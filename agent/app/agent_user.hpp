#pragma once

// The rights that a local command works with. The data directory is the agent's user's, who is
// trusted less than root: root goes in there as that user, so that no link or pipe that it put
// there leads root anywhere.

#include <filesystem>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "shared/base/result.hpp"

namespace synapsex::agent {

// This process has the rights of the data directory's owner while it lives. One at a time, in a
// process without other threads.
class AgentUser {
 public:
    // `what` ends the sentence "Only root and the agent's user may". Fails with agent.not_allowed,
    // agent.no_data_dir or agent.file_failed.
    static Result<AgentUser> become(const std::filesystem::path& data_dir, std::string_view what);

    AgentUser(AgentUser&& other) noexcept;
    AgentUser& operator=(AgentUser&&) = delete;
    ~AgentUser();

 private:
    AgentUser() = default;

    bool is_changed_ = false;
    gid_t own_group_ = 0;
    std::vector<gid_t> own_groups_;
};

}  // namespace synapsex::agent

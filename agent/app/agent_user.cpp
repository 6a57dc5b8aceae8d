#include "agent/app/agent_user.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace synapsex::agent {

namespace {

std::string name_of(uid_t user) {
    const auto* found = ::getpwuid(user);
    return found != nullptr ? found->pw_name : "with the number " + std::to_string(user);
}

Problem failed(std::string_view code, std::string detail) {
    return {.kind = Kind::internal, .code = std::string{code}, .detail = std::move(detail)};
}

}  // namespace

Result<AgentUser> AgentUser::become(const std::filesystem::path& data_dir, std::string_view what) {
    struct stat facts {};
    const bool is_there = ::stat(data_dir.c_str(), &facts) == 0;
    if (!is_there && errno == ENOENT)
        return failed(
            "agent.no_data_dir",
            "There is no data directory " + data_dir.string() +
                ". Is the agent installed here? --data-dir names another."
        );
    if (!is_there || !S_ISDIR(facts.st_mode))
        return failed(
            "agent.file_failed", "Cannot use the data directory " + data_dir.string() + ": " +
                                     std::strerror(is_there ? ENOTDIR : errno)
        );
    const auto own = ::geteuid();
    if (own != 0 && own != facts.st_uid)
        return failed(
            "agent.not_allowed", "Only root and the agent's user, " + name_of(facts.st_uid) +
                                     ", may " + std::string{what} + "; this is " + name_of(own) +
                                     "."
        );
    AgentUser user;
    if (own == facts.st_uid) return user;
    user.own_group_ = ::getegid();
    const int count = ::getgroups(0, nullptr);
    user.own_groups_.resize(static_cast<std::size_t>(std::max(count, 0)));
    const bool is_known = count >= 0 && ::getgroups(count, user.own_groups_.data()) == count;
    user.is_changed_ = is_known;
    if (!is_known || ::setgroups(1, &facts.st_gid) != 0 || ::setegid(facts.st_gid) != 0 ||
        ::seteuid(facts.st_uid) != 0)
        return failed(
            "agent.file_failed",
            "Cannot become the agent's user " + name_of(facts.st_uid) + ": " + std::strerror(errno)
        );
    return user;
}

AgentUser::AgentUser(AgentUser&& other) noexcept
    : is_changed_(std::exchange(other.is_changed_, false)),
      own_group_(other.own_group_),
      own_groups_(std::move(other.own_groups_)) {}

AgentUser::~AgentUser() {
    if (!is_changed_) return;
    // With the rights of neither it must not go on.
    if (::seteuid(0) != 0 || ::setegid(own_group_) != 0 ||
        ::setgroups(own_groups_.size(), own_groups_.data()) != 0)
        std::abort();
}

}  // namespace synapsex::agent

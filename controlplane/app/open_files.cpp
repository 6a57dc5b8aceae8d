#include "controlplane/app/open_files.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <string>

#include "controlplane/app/services.hpp"
#include "shared/base/log.hpp"

namespace synapsex::app {

std::size_t allow_connections(std::size_t wished) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wished;
    const rlim_t needed = wished + kOtherFilesMax;
    if (limit.rlim_cur >= needed) return wished;
    limit.rlim_cur = std::min(needed, limit.rlim_max);
    const bool is_raised = ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
    if (!is_raised) ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed) return wished;
    const std::string allowed = std::to_string(limit.rlim_cur);
    if (limit.rlim_cur <= kOtherFilesMax)
        throw StartRefused(
            "the system allows " + allowed + " open files, and " +
            std::to_string(kOtherFilesMax + 1) +
            " are the least; raise the limit (ulimit -n, LimitNOFILE=)"
        );
    const auto possible = static_cast<std::size_t>(limit.rlim_cur) - kOtherFilesMax;
    log_warning(
        "fewer connections than connections-max: the limit of open files is too low",
        {{"connectionsMax", wished}, {"possible", possible}, {"openFilesMax", allowed}}
    );
    return possible;
}

}  // namespace synapsex::app

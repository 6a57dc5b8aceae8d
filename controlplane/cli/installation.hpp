#pragma once

// What installs the agent with a new enrollment token, in one document: install-agent.sh, which is
// built into this program, and what is to be given to it. A secret, since the token is in it.

#include <string>
#include <string_view>
#include <vector>

namespace synapsex::cli {

enum class DocumentKind { script, cloud_init };

struct Installation {
    std::string url;  // for agents
    std::string token;
    std::string authorities{};             // PEM; empty: those that the agent finds by itself
    std::vector<std::string> arguments{};  // more of them for install-agent.sh
};

// For `sh -s` as root, or to keep and run: sh FILE. Further arguments go to install-agent.sh. The
// token is never a file of its own before it is in its place.
std::string installation_script(const Installation& installation);

// User data of cloud-init. What it has to write first is in /run, which no disk keeps.
std::string installation_cloud_config(const Installation& installation);

}  // namespace synapsex::cli

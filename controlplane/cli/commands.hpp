#pragma once

// The commands, a file for each group. A group declares its options and, once the command line is
// read, leaves in `chosen` what is to be done.

#include <functional>

#include "controlplane/cli/context.hpp"

namespace CLI {
class App;
}

namespace synapsex::cli {

using Action = std::function<Result<Done>(Context&)>;

void add_sign_in_commands(CLI::App& app, Action& chosen);  // login, logout, whoami, version
void add_tenant_commands(CLI::App& app, Action& chosen);
void add_plan_commands(CLI::App& tenants, Action& chosen);  // in the group of add_tenant_commands
void add_token_commands(CLI::App& app, Action& chosen);
void add_trust_commands(CLI::App& app, Action& chosen);
void add_agent_commands(CLI::App& app, Action& chosen);
void add_vm_commands(CLI::App& app, Action& chosen);
void add_key_commands(CLI::App& app, Action& chosen);
void add_explain_command(CLI::App& app, Action& chosen);
void add_audit_commands(CLI::App& app, Action& chosen);
void add_session_commands(CLI::App& app, Action& chosen);  // sessions, password

}  // namespace synapsex::cli

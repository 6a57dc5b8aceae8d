#include "agent/app/run_command.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/app/plugin_sources.hpp"
#include "agent/executor/options.hpp"
#include "agent/executor/restart_policy.hpp"
#include "agent/worker/files.hpp"
#include "agent/worker/time_asking_client.hpp"
#include "agent/worker/worker.hpp"
#include "shared/base/process_memory.hpp"
#include "shared/base/version.hpp"

namespace synapsex::agent {

namespace {

// glibc gives each thread an arena of its own and keeps what is freed; in a process of few
// threads that allocate little both cost more memory than they save time.
void keep_memory_small() {
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_TRIM_THRESHOLD, 64 * 1024);
    ::mallopt(M_MMAP_THRESHOLD, 64 * 1024);
}

// Then it needs no leave to look at this process: it is root. An executor of the same user would
// not know its worker any more.
bool is_executor_another_user(const std::filesystem::path& run_dir) {
    struct stat facts {};
    return ::stat(run_dir.c_str(), &facts) == 0 && facts.st_uid == 0 && ::geteuid() != 0;
}

// What stands in agent.toml: nothing, "none", or a text.
std::optional<std::string> local_wish(const std::string& text, std::string_view none) {
    if (text.empty()) return std::nullopt;
    return text == none ? std::string{} : text;
}

WorkerSettings settings_of(const AgentConfig& config, platform::SystemFacts& facts) {
    return {
        .url = config.url,
        .token_file = config.token_file,
        .offered_token_file = config.offered_token_file,
        .authority_pin = local_wish(config.authority_pin, kNoAuthorityPin),
        .trust_root = local_wish(config.trust_root, kNoTrustRoot),
        .data_dir = config.data_dir,
        .run_dir = config.run_dir,
        .name = config.name.empty() ? facts.os().hostname : config.name,
        .boot_id = facts.boot_id(),
        .agent_version = std::string{kVersion},
        .spool = {.bytes_max = config.spool_bytes_max},
    };
}

}  // namespace

int run_command(const AgentConfig& config) {
    if (is_executor_another_user(config.run_dir)) hide_memory();
    keep_memory_small();
    block_stop_signals();
    const SystemClock clock;
    SystemRandom random;
    TimeFloor time_floor{config.data_dir / kTimeFloorFile};
    CertificateClock certificate_clock{time_floor, clock};
    net::CurlHttpClient curl{http_options(config, [&] { return certificate_clock.now(); })};
    TimeAskingClient http{curl, certificate_clock, random};
    const auto sampler_facts = platform::make_system_facts();
    const auto inventory_facts = platform::make_system_facts();
    PluginTelemetry telemetry{*sampler_facts, clock};
    PluginInventory inventory{*inventory_facts, clock};
    SocketExecutorProbe probe{executor::socket_path(config.run_dir), clock};
    const auto result = run_worker(
        settings_of(config, *inventory_facts),
        {.http = http,
         .telemetry = telemetry,
         .inventory = inventory,
         .executor = probe,
         .time_floor = time_floor,
         .certificate_clock = certificate_clock,
         .clock = clock,
         .random = random}
    );
    if (result) return 0;
    log_error(result.error().detail, {{"code", result.error().code}});
    return exit_code_of(result.error());
}

net::CurlOptions http_options(const AgentConfig& config, std::function<net::HeldTime()> now) {
    return {
        .user_agent = "synapsex-agent/" + std::string{kVersion},
        .ca_file = config.ca_file,
        .now = std::move(now),
        .proxy = config.proxy,
    };
}

int exit_code_of(const Problem& problem) {
    constexpr std::array<std::string_view, 5> kForPerson{
        "agent.config_invalid", "agent.identity_damaged", "agent.not_enrolled",
        "crypto.key_missing", "crypto.key_unreadable"
    };
    const bool is_for_person = std::ranges::find(kForPerson, problem.code) != kForPerson.end();
    return is_for_person ? executor::kExitForPerson : executor::kExitForMachine;
}

}  // namespace synapsex::agent

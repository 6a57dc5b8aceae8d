#include "agent/app/pause_command.hpp"

#include <charconv>
#include <cstdio>

#include "agent/app/agent_user.hpp"
#include "agent/worker/files.hpp"

namespace synapsex::agent {

namespace {

constexpr int kExitFailed = 1;

int fail(const Problem& problem) {
    std::fprintf(stderr, "synapsex-agent: %s\n", problem.detail.c_str());
    return kExitFailed;
}

Problem invalid(std::string detail) {
    return {.kind = Kind::invalid, .code = "agent.pause_invalid", .detail = std::move(detail)};
}

Result<Pause> pause_of(const CommandLine& line, const Clock& clock) {
    Pause pause{.since = this_moment(clock), .reason = line.pause_reason};
    if (!line.pause_for.empty()) {
        pause.length = parse_pause_length(line.pause_for);
        if (!pause.length)
            return invalid(
                "--for takes a time from 1s to 366d, such as 45s, 30m, 2h or 7d, not '" +
                line.pause_for + "'."
            );
    }
    if (!is_pause_reason(pause.reason))
        return invalid(
            "--reason takes one line of at most " + std::to_string(kPauseReasonBytesMax) +
            " bytes of UTF-8."
        );
    return pause;
}

int report(const CommandLine& line, const std::optional<Pause>& pause) {
    if (line.status_format == StatusFormat::json) {
        const boost::json::object object{{"paused", pause_json(pause)}};
        std::printf("%s\n", boost::json::serialize(object).c_str());
    } else if (!pause) {
        std::puts("Work may start on this VM.");
    } else if (pause->length) {
        std::printf(
            "Paused until %s: no work starts on this VM.\n", format_rfc3339(*pause->until()).c_str()
        );
    } else {
        std::puts("Paused: no work starts on this VM until `synapsex-agent resume`.");
    }
    return 0;
}

}  // namespace

boost::json::value pause_json(const std::optional<Pause>& pause) {
    if (!pause) return nullptr;
    boost::json::object object{{"since", nullptr}};  // a damaged file says nothing of it
    if (pause->since.now != Timestamp{}) object["since"] = format_rfc3339(pause->since.now);
    if (const auto until = pause->until()) object["until"] = format_rfc3339(*until);
    else object["until"] = nullptr;
    object["reason"] = pause->reason;
    return object;
}

std::optional<std::chrono::seconds> parse_pause_length(std::string_view text) {
    std::int64_t count = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, count);
    if (read.ec != std::errc{} || end - read.ptr != 1) return std::nullopt;
    std::int64_t unit = 0;
    switch (*read.ptr) {
        case 's': unit = 1; break;
        case 'm': unit = 60; break;
        case 'h': unit = 60 * 60; break;
        case 'd': unit = 24 * 60 * 60; break;
        default: return std::nullopt;
    }
    if (count < 1 || count > kPauseMax.count() / unit) return std::nullopt;
    return std::chrono::seconds{count * unit};
}

int pause_command(const AgentConfig& config, const CommandLine& line, const Clock& clock) {
    const auto pause = pause_of(line, clock);
    if (!pause) return fail(pause.error());
    const auto user = AgentUser::become(config.data_dir, "pause it");
    if (!user) return fail(user.error());
    const auto written = write_file_atomically(
        config.data_dir / kPauseFile, write_pause(*pause), FileDurability::synced
    );
    return written ? report(line, *pause) : fail(written.error());
}

int resume_command(const AgentConfig& config, const CommandLine& line, const Clock&) {
    const auto user = AgentUser::become(config.data_dir, "end its pause");
    if (!user) return fail(user.error());
    const auto removed = remove_file(config.data_dir / kPauseFile);
    return removed ? report(line, std::nullopt) : fail(removed.error());
}

}  // namespace synapsex::agent

#include "agent/pause/pause.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/descriptor.hpp"
#include "shared/base/utf8.hpp"

namespace synapsex::agent {

using std::chrono::seconds;

namespace {

constexpr std::string_view kFirstLine = "synapsex-agent pause 1";
constexpr const char* kBootIdFile = "/proc/sys/kernel/random/boot_id";

Problem failed(const std::string& what, const std::filesystem::path& path) {
    return {
        .kind = Kind::internal,
        .code = "agent.file_failed",
        .detail = what + " " + path.string() + ": " + std::strerror(errno),
    };
}

// At most so many bytes of a regular file, never through a link.
Result<std::optional<std::string>> read_start(const std::filesystem::path& path) {
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    const Descriptor file{::open(path.c_str(), kFlags)};
    if (!file.is_open() && errno == ENOENT) return std::optional<std::string>{};
    if (!file.is_open()) return failed("Cannot open", path);
    struct stat facts {};
    errno = EINVAL;
    if (::fstat(file.number(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return failed("Will not read", path);
    std::array<char, 1024> text{};
    const auto size = ::read(file.number(), text.data(), text.size());
    if (size < 0) return failed("Cannot read", path);
    return std::optional{std::string{text.data(), static_cast<std::size_t>(size)}};
}

std::optional<seconds> parse_seconds(const std::string& text) {
    std::int64_t count = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, count);
    if (read.ec != std::errc{} || read.ptr != end || count < 0) return std::nullopt;
    return seconds{count};
}

}  // namespace

Moment this_moment(const Clock& clock) {
    timespec uptime{};
    ::clock_gettime(CLOCK_BOOTTIME, &uptime);
    const auto boot_id = read_start(kBootIdFile);
    std::string text = boot_id && *boot_id ? **boot_id : std::string{};
    text.erase(text.find_last_not_of('\n') + 1);
    return {.now = clock.now(), .boot_id = std::move(text), .uptime = seconds{uptime.tv_sec}};
}

std::optional<Timestamp> Pause::until() const {
    if (!length) return std::nullopt;
    return since.now + *length;
}

bool Pause::is_over(const Moment& moment) const {
    if (!length) return false;
    const bool is_same_boot = !since.boot_id.empty() && since.boot_id == moment.boot_id;
    if (is_same_boot) return moment.uptime - since.uptime >= *length;
    return moment.now >= *until();
}

std::string write_pause(const Pause& pause) {
    std::string text{kFirstLine};
    text += "\nsince " + format_rfc3339(pause.since.now);
    text += "\nboot " + pause.since.boot_id;
    text += "\nuptime " + std::to_string(pause.since.uptime.count());
    if (pause.length) text += "\nseconds " + std::to_string(pause.length->count());
    return text + "\nreason " + pause.reason + "\nend\n";
}

bool is_pause_reason(std::string_view text) {
    return text.size() <= kPauseReasonBytesMax && (text.empty() || is_name(text));
}

std::optional<Pause> read_pause(std::string_view text) {
    std::map<std::string, std::string, std::less<>> values;
    std::string last;
    for (bool is_first = true; !text.empty(); is_first = false) {
        const auto line = text.substr(0, text.find('\n'));
        if (line.size() == text.size() || (is_first && line != kFirstLine)) return std::nullopt;
        text.remove_prefix(line.size() + 1);
        const auto blank = std::min(line.find(' '), line.size());
        last = line.substr(0, blank);
        values[last] = line.substr(std::min(blank + 1, line.size()));
    }
    const auto since = parse_rfc3339(values["since"]);
    const auto uptime = parse_seconds(values["uptime"]);
    const bool is_bounded = values.contains("seconds");
    const auto length = is_bounded ? parse_seconds(values["seconds"]) : std::nullopt;
    const bool is_length_right = !is_bounded || (length && *length <= kPauseMax);
    const bool is_reason_right = is_pause_reason(values["reason"]);
    if (last != "end" || !since || !uptime || !is_length_right || !is_reason_right)
        return std::nullopt;
    return Pause{{*since, values["boot"], *uptime}, length, values["reason"]};
}

Result<std::optional<Pause>> find_pause(
    const std::filesystem::path& data_dir, const Moment& moment
) {
    const auto path = data_dir / kPauseFile;
    SYNAPSEX_TRY(const auto text, read_start(path));
    if (!text) return std::optional<Pause>{};
    auto pause = read_pause(*text);
    if (!pause) pause = Pause{.reason = "the file of the pause is damaged; `resume` removes it"};
    if (pause->is_over(moment)) return std::optional<Pause>{};
    return pause;
}

bool may_work_start(const std::filesystem::path& data_dir, const Moment& moment) {
    const auto pause = find_pause(data_dir, moment);
    return pause && !*pause;
}

}  // namespace synapsex::agent

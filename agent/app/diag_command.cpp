#include "agent/app/diag_command.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/app/agent_user.hpp"
#include "agent/app/bundle_file.hpp"
#include "agent/app/child_output.hpp"
#include "agent/app/proxy_choice.hpp"
#include "agent/app/redaction.hpp"
#include "agent/app/status_command.hpp"
#include "agent/app/tar_archive.hpp"
#include "agent/pause/pause.hpp"
#include "agent/platform/system_facts.hpp"
#include "agent/transport/gzip.hpp"
#include "agent/worker/files.hpp"
#include "shared/base/version.hpp"

namespace synapsex::agent {

namespace json = boost::json;

namespace {

constexpr std::size_t kFilesMax = 200;
constexpr ChildLimits kJournalLimits{};
constexpr std::array kUnits{"synapsex-agent.service", "synapsex-executor.service"};

struct Part {
    std::string name;
    std::string text;
    const char* meaning;
};

std::string pretty(const json::value& value) { return json::serialize(value) + "\n"; }

// 20260301T120000Z
std::string name_time(Timestamp time) {
    std::string text;
    for (const char c : format_rfc3339(std::chrono::floor<std::chrono::seconds>(time)))
        if (c != '-' && c != ':') text += c;
    return text;
}

json::object space_of(const std::filesystem::path& path) {
    struct statvfs facts {};
    if (::statvfs(path.c_str(), &facts) != 0) return {{"path", path.string()}, {"free", nullptr}};
    return {
        {"path", path.string()},
        {"sizeBytes", facts.f_frsize * facts.f_blocks},
        {"freeBytes", facts.f_frsize * facts.f_bavail},
        {"freeInodes", facts.f_favail},
    };
}

json::object limits_json() {
    json::object limits;
    const std::array<std::pair<const char*, int>, 4> kinds{{
        {"openFiles", RLIMIT_NOFILE}, {"processes", RLIMIT_NPROC}, {"coreBytes", RLIMIT_CORE},
        {"addressSpaceBytes", RLIMIT_AS},
    }};
    for (const auto& [name, kind] : kinds) {
        rlimit limit{};
        ::getrlimit(static_cast<__rlimit_resource>(kind), &limit);
        if (limit.rlim_cur == RLIM_INFINITY) limits[name] = "unlimited";
        else limits[name] = limit.rlim_cur;
    }
    return limits;
}

// Names, sizes and modes, never contents; without what lies deeper.
json::array files_of(const std::filesystem::path& folder) {
    json::array files;
    std::error_code error;
    for (std::filesystem::directory_iterator entry{folder, error}, end; !error && entry != end;
         entry.increment(error)) {
        struct stat facts {};
        if (files.size() >= kFilesMax || ::lstat(entry->path().c_str(), &facts) != 0) continue;
        std::array<char, 16> mode{};
        std::snprintf(mode.data(), mode.size(), "%06o", facts.st_mode);
        files.push_back(json::object{
            {"name", visible_text(entry->path().filename().string())},
            {"bytes", facts.st_size},
            {"mode", mode.data()},
            {"user", facts.st_uid},
            {"group", facts.st_gid},
            {"changedAt", format_rfc3339(Timestamp{std::chrono::seconds{facts.st_mtim.tv_sec}})},
        });
    }
    if (error) files.push_back(json::object{{"problem", error.message()}});
    return files;
}

class Bundle {
 public:
    Bundle(const AgentConfig& config, const SettingValues& values, const ConnectionTools& tools)
        : config_(config), values_(values), tools_(tools) {}

    std::vector<Part> collect() {
        learn_secrets();
        add("about.json", pretty(about()), "versions, platform, clock, disk space, limits");
        add("settings.toml", print_config(values_), "settings in force and where they come from");
        add("status.json", pretty(status()), "what `status` shows");
        add("files.json", pretty(files()), "names, sizes and modes in data and run directory");
        add("units.txt", run({"/usr/bin/systemctl", "show", "--no-pager", kUnits[0], kUnits[1]}),
            "state of the units");
        for (const auto* unit : kUnits)
            add("journal-" + std::string{unit} + ".txt",
                run({"/usr/bin/journalctl", "--no-pager", "--quiet", "--lines=500",
                     "--output=short-iso", std::string{"--unit="} + unit}),
                "its last 500 lines");
        add("connection.json", pretty(connection_json(test_connection(config_, tools_))),
            "what `test-connection` says");
        return std::move(parts_);
    }

 private:
    void add(std::string name, std::string_view text, const char* meaning) {
        parts_.push_back({std::move(name), redaction_.apply(text), meaning});
    }

    // Chosen parts hold none; should one have come into a journal, it goes.
    void learn_secrets() {
        learn_file(config_.token_file);
        for (const auto* name : kProxyVariables)
            if (const char* text = tools_.environment(name)) redaction_.add_variable(name, text);
        for (const auto& [name, value] : tools_.service_variables)
            redaction_.add_variable(name, value);
        const auto user = AgentUser::become(config_.data_dir, "see its files");
        if (!user) return;
        for (const auto* name : {"agent.key", "agent.key.next", "agent.key.former"})
            learn_file(config_.data_dir / name);
        learn_file(config_.data_dir / "enrollment-token");
    }

    // Every long word of it, but for PEM's first and last line.
    void learn_file(const std::filesystem::path& path) {
        constexpr std::size_t kBytesMax = 16 * 1024;
        if (path.empty()) return;
        const auto text = find_own_file(path, kBytesMax);
        if (!text || !*text) return;
        std::string_view rest{**text};
        while (!rest.empty()) {
            const auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
            if (!line.starts_with("-----")) redaction_.add_known(line);
            if (const auto dot = line.find('.'); dot != line.npos)
                redaction_.add_known(line.substr(dot + 1, line.find('.', dot + 1) - dot - 1));
        }
    }

    json::object about() {
        const auto facts = platform::make_system_facts();
        const auto os = facts->os();
        const auto moment = this_moment(tools_.clock);
        return {
            {"version", std::string{kVersion}},
            {"time", format_rfc3339(moment.now)},
            {"bootId", moment.boot_id},
            {"uptimeSeconds", moment.uptime.count()},
            {"os", os.pretty_name},
            {"kernel", os.kernel_release},
            {"architecture", os.architecture},
            {"hostName", os.hostname},
            {"virtualization", os.virtualization},
            {"timeZone", os.timezone},
            {"threads", facts->cpu().threads},
            {"memoryBytes", facts->memory().total_bytes},
            {"user", ::geteuid()},
            {"space",
             json::array{
                 space_of("/"), space_of(config_.data_dir), space_of(config_.run_dir)
             }},
            {"limits", limits_json()},
        };
    }

    json::object status() {
        auto report = status_report(config_);
        if (report) return *std::move(report);
        return {{"problem", report.error().detail}};
    }

    json::object files() {
        json::object found{{"runDir", files_of(config_.run_dir)}};
        const auto user = AgentUser::become(config_.data_dir, "see its files");
        if (user) found["dataDir"] = files_of(config_.data_dir);
        else found["problem"] = user.error().detail;
        return found;
    }

    std::string run(const std::vector<std::string>& words) {
        auto text = output_of(words, kJournalLimits, tools_.clock);
        return text ? *std::move(text) : "There is no " + words.front() + " here.\n";
    }

    const AgentConfig& config_;
    const SettingValues& values_;
    const ConnectionTools& tools_;
    Redaction redaction_;
    std::vector<Part> parts_;
};

int fail(const Problem& problem) {
    std::fprintf(stderr, "synapsex-agent: %s\n", problem.detail.c_str());
    return 1;
}

void print(const std::filesystem::path& path, const std::vector<Part>& parts, StatusFormat format) {
    if (format == StatusFormat::json) {
        json::array list;
        for (const auto& part : parts)
            list.push_back(json::object{{"name", part.name}, {"bytes", part.text.size()}});
        const json::object report{{"file", path.string()}, {"parts", std::move(list)}};
        std::printf("%s\n", json::serialize(report).c_str());
        return;
    }
    for (const auto& part : parts)
        std::printf("%-40s %8zu bytes  %s\n", part.name.c_str(), part.text.size(), part.meaning);
    std::printf(
        "Written to %s, readable for you alone. Nothing was sent. Secrets are left out; names and "
        "addresses of this machine are in it.\n",
        path.c_str()
    );
}

}  // namespace

int diag_command(
    const AgentConfig& config, const SettingValues& values, const CommandLine& line,
    const ConnectionTools& tools
) {
    const auto now = tools.clock.now();
    const auto name = "synapsex-agent-diag-" + name_time(now);
    const auto path = line.diag_output.empty() ? std::filesystem::path{name + ".tar.gz"}
                                               : line.diag_output;
    // First: whoever may not write there is told at once.
    auto file = BundleFile::make(path);
    if (!file) return fail(file.error());
    const auto parts = Bundle{config, values, tools}.collect();
    TarArchive archive{name, now};
    for (const auto& part : parts) archive.add(part.name, part.text);
    if (const auto written = file->write(gzip(archive.finish())); !written)
        return fail(written.error());
    print(path, parts, line.status_format);
    return 0;
}

}  // namespace synapsex::agent

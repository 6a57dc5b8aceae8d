#include "agent/platform/linux/dpkg.hpp"

#include "agent/platform/linux/fields.hpp"
#include "agent/platform/linux/line_reader.hpp"

namespace synapsex::platform {
namespace {

constexpr const char* kStatusPath = "var/lib/dpkg/status";

// One stanza so far. The strings keep their storage from stanza to stanza.
struct Stanza {
    std::string name;
    std::string version;
    std::string architecture;
    bool is_installed = false;

    void clear() {
        name.clear();
        version.clear();
        architecture.clear();
        is_installed = false;
    }
};

bool says_installed(std::string_view status) {
    next_field(status);
    if (next_field(status) != "ok") return false;
    // Unpacked and configured; only triggers, its own or another's, have still to run.
    const auto state = next_field(status);
    const bool is_installed =
        state == "installed" || state == "triggers-awaited" || state == "triggers-pending";
    return is_installed && next_field(status).empty();
}

void read_line(std::string_view line, Stanza& stanza) {
    // Nine lines of ten are of other fields or continue one: the first letter rules them out.
    switch (line.front()) {
        case 'P': case 'S': case 'V': case 'A': break;
        default: return;
    }
    const auto [key, value] = split_at_colon(line);
    if (key == "Package") stanza.name = value;
    if (key == "Status") stanza.is_installed = says_installed(value);
    if (key == "Version") stanza.version = value;
    if (key == "Architecture") stanza.architecture = value;
}

void finish(Stanza& stanza, const PackageVisitor& visit) {
    if (stanza.is_installed && !stanza.name.empty() && !stanza.version.empty())
        visit({stanza.name, stanza.version, stanza.architecture});
    stanza.clear();
}

}  // namespace

std::string visit_dpkg_packages(const Root& root, const PackageVisitor& visit) {
    auto file = root.open(kStatusPath);
    if (!file.is_open()) return {};
    LineReader lines{std::move(file)};
    Stanza stanza;
    while (const auto line = lines.next()) {
        if (trim(*line).empty())
            finish(stanza, visit);
        else
            read_line(*line, stanza);
    }
    finish(stanza, visit);
    return "dpkg";
}

PackageStamp dpkg_stamp(const Root& root) { return root.stamp(kStatusPath); }

}  // namespace synapsex::platform

#include "agent/platform/linux/os_info.hpp"

#include <initializer_list>

#include "agent/platform/linux/fields.hpp"
#include "agent/platform/linux/kernel_counters.hpp"
#include "agent/platform/linux/line_reader.hpp"
#include "agent/platform/linux/virtualization.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::platform {
namespace {

// The first that is not empty.
std::string first_value(const Root& root, std::initializer_list<const char*> paths) {
    for (const auto* path : paths)
        if (auto value = root.read_value(path); !value.empty()) return value;
    return {};
}

void read_os_release(const Root& root, Os& os) {
    auto file = root.open("etc/os-release");
    if (!file.is_open()) file = root.open("usr/lib/os-release");
    LineReader lines{std::move(file)};
    while (const auto line = lines.next()) {
        const auto text = trim(*line);
        const auto equals = text.find('=');
        if (equals == std::string_view::npos || text.starts_with('#')) continue;
        const auto key = text.substr(0, equals);
        if (key == "ID") os.id = unquote_shell_value(text.substr(equals + 1));
        if (key == "VERSION_ID") os.version_id = unquote_shell_value(text.substr(equals + 1));
        if (key == "PRETTY_NAME") os.pretty_name = unquote_shell_value(text.substr(equals + 1));
    }
    if (os.id.empty()) os.id = "linux";  // as os-release(5) says
    if (os.pretty_name.empty()) os.pretty_name = "Linux";
}

// /etc/localtime points into the zone database on systemd systems; /etc/timezone is Debian's own
// note, which tools forget to keep, so it comes second.
std::string read_timezone(const Root& root) {
    constexpr std::string_view kDatabase = "/zoneinfo/";
    const auto target = root.read_link("etc/localtime");
    if (const auto found = target.find(kDatabase); found != std::string::npos)
        return target.substr(found + kDatabase.size());
    return root.read_value("etc/timezone");
}

std::string hash_machine_id(const Root& root) {
    const auto id = first_value(root, {"etc/machine-id", "var/lib/dbus/machine-id"});
    // An image that was prepared for cloning has an empty file, or this word, until its first boot.
    return id.empty() || id == "uninitialized" ? std::string{} : crypto::sha256_hex(id);
}

}  // namespace

std::string unquote_shell_value(std::string_view text) {
    std::string value;
    char quote = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
            value += text[++i];
        } else {
            value += c;
        }
    }
    return value;
}

std::string read_boot_id(const Root& root) {
    return root.read_value("proc/sys/kernel/random/boot_id");
}

Os read_os(const Root& root, KernelCalls& kernel) {
    Os os;
    read_os_release(root, os);
    os.kernel_release = root.read_value("proc/sys/kernel/osrelease");
    os.architecture = kernel.architecture();
    os.hostname = first_value(root, {"proc/sys/kernel/hostname", "etc/hostname"});
    os.machine_id_hash = hash_machine_id(root);
    os.timezone = read_timezone(root);
    os.booted_at_us = read_booted_at_us(root);
    os.virtualization = detect_virtualization(root);
    return os;
}

}  // namespace synapsex::platform

#include "controlplane/cli/installation.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>

asm(".pushsection .rodata\n"
    "synapsex_installer_begin:\n.incbin \"" SYNAPSEX_INSTALLER
    "\"\n"
    "synapsex_installer_end:\n.byte 0\n"
    ".popsection\n");
extern "C" const char synapsex_installer_begin[];
extern "C" const char synapsex_installer_end[];

namespace synapsex::cli {

namespace {

constexpr std::string_view kShebang = "#!/bin/sh\n";
constexpr std::string_view kCall = "\nmain \"$@\"\n";
constexpr std::string_view kFolder = "/run/synapsex-install";
constexpr std::string_view kWarning =
    "# Installs the SynapseX agent. There is an enrollment token in here: keep it to yourself\n"
    "# until it is used or has expired.\n";

std::string_view installer() {
    return {synapsex_installer_begin, synapsex_installer_end};
}

// The functions of install-agent.sh, without its call of them.
std::string_view installer_functions() {
    auto text = installer();
    if (!text.starts_with(kShebang) || !text.ends_with(kCall))
        throw std::logic_error("install-agent.sh does not begin or end as it has to");
    text.remove_prefix(kShebang.size());
    text.remove_suffix(kCall.size() - 1);
    return text;
}

// For a shell: one word, whatever is in it.
std::string quoted(std::string_view word) {
    std::string text = "'";
    for (const char c : word)
        if (c == '\'')
            text += "'\\''";
        else
            text += c;
    return text + "'";
}

// A here-document's body and end.
std::string here(std::string text, std::string_view end) {
    if (!text.ends_with('\n')) text += '\n';
    return text.append(end).append("\n");
}

std::vector<std::string> words_of(
    const Installation& installation, std::string_view token_file, std::string_view ca_file
) {
    std::vector<std::string> words{
        "--url", installation.url, "--token-file", std::string{token_file}};
    if (!installation.authorities.empty())
        words.insert(words.end(), {"--ca-file", std::string{ca_file}});
    words.insert(words.end(), installation.arguments.begin(), installation.arguments.end());
    return words;
}

std::string path_of(std::string_view name) {
    return std::string{kFolder}.append("/").append(name);
}

// An entry of write_files: a literal block, whose lines only have to be indented.
void append_file(
    std::string& document, std::string_view name, std::string_view mode, std::string_view text
) {
    document.append("  - path: ").append(path_of(name)).append("\n    owner: root:root\n");
    document.append("    permissions: '").append(mode).append("'\n    content: |\n");
    while (!text.empty()) {
        const auto size = std::min(text.find('\n'), text.size());
        if (size > 0) document.append("      ").append(text.substr(0, size));
        document += '\n';
        text.remove_prefix(std::min(size + 1, text.size()));
    }
}

}  // namespace

std::string installation_script(const Installation& installation) {
    std::string script{kShebang};
    script.append(kWarning).append(installer_functions());
    script += "main";
    for (const auto& word : words_of(installation, "-", "/dev/fd/3")) script += " " + quoted(word);
    script += " \"$@\" <<'SYNAPSEX_TOKEN'";
    if (!installation.authorities.empty()) script += " 3<<'SYNAPSEX_AUTHORITIES'";
    script += "\n" + here(installation.token, "SYNAPSEX_TOKEN");
    if (!installation.authorities.empty())
        script += here(installation.authorities, "SYNAPSEX_AUTHORITIES");
    return script;
}

std::string installation_cloud_config(const Installation& installation) {
    std::string document = "#cloud-config\n";
    document.append(kWarning).append("write_files:\n");
    append_file(document, "token", "0600", installation.token);
    if (!installation.authorities.empty())
        append_file(document, "authorities.pem", "0644", installation.authorities);
    append_file(document, "install-agent.sh", "0644", installer());
    std::vector<std::string> command{"sh", path_of("install-agent.sh")};
    for (auto& word : words_of(installation, path_of("token"), path_of("authorities.pem")))
        command.push_back(std::move(word));
    // YAML's flow sequences of quoted words are JSON's arrays.
    document += "runcmd:\n  - " + boost::json::serialize(boost::json::value_from(command)) + "\n";
    return document;
}

}  // namespace synapsex::cli

#include "controlplane/cli/vm_verify.hpp"

#include <algorithm>
#include <optional>

#include "controlplane/cli/fleet.hpp"
#include "controlplane/cli/listing.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/services/agent_registry/api.hpp"
#include "controlplane/services/vm_registry/api.hpp"
#include "shared/crypto/agent_statements.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::cli {

namespace {

using agent_registry::InventoryContent;
using vm_registry::SectionInfo;
using vm_registry::SectionName;
using vm_registry::SignedSection;

constexpr std::size_t kKeyIdCharacters = 16;

enum class Verdict { ok, unsigned_, no_proof, other_key, invalid, differs, missing };

std::string_view word_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok: return "ok";
        case Verdict::unsigned_: return "unsigned";
        case Verdict::no_proof: return "noProof";
        case Verdict::other_key: return "otherKey";
        case Verdict::invalid: return "invalid";
        case Verdict::differs: return "differs";
        case Verdict::missing: return "missing";
    }
    return {};
}

Cell cell_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok: return {"ok", Style::good};
        case Verdict::unsigned_: return {"not signed", Style::bad};
        case Verdict::no_proof: return {"no proof is there", Style::bad};
        case Verdict::other_key: return {"signed by another key", Style::bad};
        case Verdict::invalid: return {"the signature does not hold", Style::bad};
        case Verdict::differs: return {"not what the VM signed", Style::bad};
        case Verdict::missing: return {"not there", Style::bad};
    }
    return {""};
}

struct Finding {
    SectionInfo info;
    Verdict verdict = Verdict::ok;
};

// What the server shows of a VM, and the proofs that it has, of one moment.
struct Evidence {
    vm_registry::Vm vm;
    vm_registry::Packages packages;
    std::vector<std::optional<SignedSection>> proofs;  // as vm.reported.sections
};

template <class T>
bool is_same(const std::optional<T>& signed_one, const std::optional<T>& shown) {
    if (!signed_one || !shown) return false;
    std::string left;
    std::string right;
    api::Codec<T>::write_json(*signed_one, left);
    api::Codec<T>::write_json(*shown, right);
    return left == right;
}

template <class List, class T>
List list_of(const std::vector<T>& items) {
    List list;
    list.assign(items.begin(), items.end());
    return list;
}

// In the order in which packages are listed.
vm_registry::Packages sorted(vm_registry::Packages packages) {
    std::ranges::sort(packages.packages, {}, [](const vm_registry::Package& package) {
        return package.name.value + '\n' + package.architecture.value + '\n' +
               package.version.value;
    });
    return packages;
}

bool are_packages_shown(const InventoryContent& content, const Evidence& evidence) {
    if (!content.packages) return false;
    const auto count = static_cast<std::int64_t>(content.packages->packages.size());
    auto listed = evidence.packages;
    listed.manager = content.packages->manager;  // lists do not show it
    return evidence.vm.packages == count &&
           is_same(std::optional{sorted(*content.packages)}, std::optional{sorted(listed)});
}

// In the section itself and in the columns of lists that are made of it.
bool is_shown(const InventoryContent& content, SectionName section, const Evidence& evidence) {
    const auto& vm = evidence.vm;
    const auto& shown = vm.reported;
    switch (section) {
        case SectionName::os:
            return is_same(content.os, shown.os) && vm.os == shown.os->pretty_name.value &&
                   vm.kernel == shown.os->kernel_release.value &&
                   vm.architecture == shown.os->architecture.value;
        case SectionName::cpu:
            return is_same(content.cpu, shown.cpu) && vm.cpu_threads == shown.cpu->threads;
        case SectionName::memory:
            return is_same(content.memory, shown.memory) &&
                   vm.memory_total_bytes == shown.memory->total_bytes;
        case SectionName::disks: {
            using vm_registry::Disks;
            const Disks disks{list_of<decltype(Disks::disks)>(shown.disks)};
            return is_same(content.disks, std::optional{disks}) &&
                   vm.disk_total_bytes == total_size(disks);
        }
        case SectionName::filesystems: {
            using vm_registry::Filesystems;
            const auto list = list_of<decltype(Filesystems::filesystems)>(shown.filesystems);
            return is_same(content.filesystems, std::optional{Filesystems{list}});
        }
        case SectionName::network: {
            using vm_registry::Network;
            const auto list = list_of<decltype(Network::interfaces)>(shown.network);
            return is_same(content.network, std::optional{Network{list}});
        }
        case SectionName::packages: break;
    }
    return are_packages_shown(content, evidence);
}

bool has_valid_signature(const SignedSection& proof, const vm_registry::Vm& vm) {
    const auto key = crypto::from_base64url(proof.public_key);
    const auto signature = crypto::from_base64url(proof.signature);
    const auto content = crypto::from_base64url(proof.content);
    if (!key || !signature || !content || vm.id != VmId::derived_from(vm.agent_id)) return false;
    // Made here, of what is asked: not what the server says that was signed.
    const auto statement = crypto::statement_of(crypto::SectionReport{
        .agent_id = vm.agent_id.text(),
        .section = enum_name(proof.section),
        .signed_at_us = to_micros(proof.signed_at),
        .content = *content,
    });
    return crypto::ed25519_key_id(*key) == proof.key_id &&
           crypto::verify_ed25519(*key, statement, *signature);
}

Verdict judge(
    const SectionInfo& info,
    const std::optional<SignedSection>& proof,
    const Evidence& evidence,
    const std::vector<std::string>& keys
) {
    if (!proof) return info.signed_at ? Verdict::no_proof : Verdict::unsigned_;
    if (proof->section != info.section || !has_valid_signature(*proof, evidence.vm))
        return Verdict::invalid;
    if (!keys.empty() && std::ranges::find(keys, proof->key_id) == keys.end())
        return Verdict::other_key;
    InventoryContent content;
    const auto bytes = crypto::from_base64url(proof->content).value();
    if (!api::ProtobufCodec<InventoryContent>::decode(bytes, content)) return Verdict::differs;
    const bool is_so =
        content.truncated == info.truncated && is_shown(content, info.section, evidence);
    return is_so ? Verdict::ok : Verdict::differs;
}

std::vector<Finding> findings_of(
    const Evidence& evidence, const std::vector<std::string>& keys
) {
    std::vector<Finding> findings;
    const auto& sections = evidence.vm.reported.sections;
    for (std::size_t i = 0; i < sections.size(); ++i)
        findings.push_back({sections[i], judge(sections[i], evidence.proofs[i], evidence, keys)});
    using Names = boost::describe::describe_enumerators<SectionName>;
    boost::mp11::mp_for_each<Names>([&](auto name) {
        const auto is_it = [&](const SectionInfo& info) { return info.section == name.value; };
        if (std::ranges::any_of(sections, is_it)) return;
        auto& finding = findings.emplace_back();
        finding.info.section = name.value;
        finding.verdict = Verdict::missing;
    });
    return findings;
}

// nullopt: a section was replaced while its parts were read.
Result<std::optional<Evidence>> read_evidence(Context& context, const VmId& id) {
    Evidence evidence;
    SYNAPSEX_TRY(evidence.vm, context.call(vm_registry::kGetVm, {id}));
    evidence.vm.id = id;  // what was asked for, whatever was answered
    const auto& sections = evidence.vm.reported.sections;
    if (std::ranges::find(sections, SectionName::packages, &SectionInfo::section) !=
        sections.end()) {
        constexpr auto kMost = decltype(vm_registry::Packages::packages)::kMax;
        vm_registry::ListPackages wish;
        wish.vm_id = id;
        SYNAPSEX_TRY(
            auto listing, list_up_to(context, vm_registry::kListPackages, wish, kMost)
        );
        evidence.packages.packages =
            list_of<decltype(vm_registry::Packages::packages)>(listing.items);
    }
    for (const auto& info : sections) {
        auto& proof = evidence.proofs.emplace_back();
        if (!info.signed_at) continue;
        auto answer = context.call(vm_registry::kGetSignedSection, {id, info.section});
        // A finding about this one; the others are judged all the same.
        if (!answer && answer.error().kind == Kind::not_found) continue;
        if (!answer) return answer.error();
        proof = *std::move(answer);
        if (proof->signed_at != *info.signed_at) return std::optional<Evidence>{};
    }
    return std::optional{std::move(evidence)};
}

void print_findings(
    Context& context,
    const vm_registry::Vm& vm,
    const std::vector<Finding>& findings,
    bool is_proven
) {
    if (!context.wants_json()) {
        context.say("{}, with the agent {}", {vm.id.text(), vm.agent_id.text()});
        Table table{{{"SECTION"}, {"SIGNED"}, {"KEY"}, {"RESULT"}}};
        for (const auto& [info, verdict] : findings)
            table.add(
                {{std::string{enum_name(info.section)}},
                 {info.signed_at ? format_relative(info.signed_at, context.now()) : "-"},
                 {info.key_id.value_or("-")},
                 cell_of(verdict)}
            );
        context.print(table);
        return;
    }
    std::string sections = "[";
    for (const auto& [info, verdict] : findings) {
        if (sections.size() > 1) sections += ',';
        const auto signed_at = info.signed_at ? format_rfc3339(*info.signed_at) : "";
        sections += api::JsonObjectText{}
                        .add_text("section", enum_name(info.section))
                        .add("signedAt", info.signed_at ? api::quoted(signed_at) : "null")
                        .add("keyId", info.key_id ? api::quoted(*info.key_id) : "null")
                        .add_text("result", word_of(verdict))
                        .finish();
    }
    context.print_json(api::JsonObjectText{}
                           .add_text("vmId", vm.id.text())
                           .add_text("agentId", vm.agent_id.text())
                           .add("proven", is_proven ? "true" : "false")
                           .add("sections", sections + "]")
                           .finish());
}

}  // namespace

Result<Done> verify_vm(Context& context, const VerifyOptions& options) {
    for (const auto& key : options.keys)
        if (key.size() != kKeyIdCharacters)
            return usage_problem("\"" + key + "\" is no key id, which has 16 characters.");
    SYNAPSEX_TRY(const auto id, find_vm(context, options.vm));
    std::optional<Evidence> evidence;
    for (int tries = 0; !evidence; ++tries) {
        constexpr int kTriesMax = 5;
        if (tries == kTriesMax)
            return Problem{
                Kind::conflict, "cli.inventory_changing",
                "The VM reports faster than its inventory can be read. Try again."
            };
        SYNAPSEX_TRY(evidence, read_evidence(context, id));
    }
    const auto findings = findings_of(*evidence, options.keys);
    const auto failed = std::ranges::count_if(findings, [](const Finding& finding) {
        return finding.verdict != Verdict::ok;
    });
    const bool is_proven = failed == 0;
    print_findings(context, evidence->vm, findings, is_proven);
    if (evidence->vm.reported.sections.empty())
        return Problem{
            Kind::internal, "cli.inventory_unproven",
            "The VM's agent has reported nothing yet, or all of it was removed."
        };
    if (!is_proven)
        return Problem{
            Kind::internal, "cli.inventory_unproven",
            std::to_string(failed) + " of " + std::to_string(findings.size()) +
                " sections are not proven to be what the VM's agent reported."
        };
    if (options.keys.empty())
        context.note(
            "That is the inventory alone. Which VM has that name, and which key, is what the "
            "server says. To be sure, compare agent and key with what `synapsex-agent status` "
            "shows on the VM, and pass the key with --key."
        );
    return Done{};
}

}  // namespace synapsex::cli

#include "controlplane/cli/test_world.hpp"
#include "controlplane/platform/api/codec.hpp"
#include "controlplane/services/vm_registry/api.hpp"
#include "shared/crypto/agent_statements.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::cli::testing {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;
using vm_registry::SectionName;
using vm_registry::SignedSection;

// A Cpu with 2 cores, a Memory of 1024 bytes, and dpkg's packages b and a.
const std::string kCpu{"\x12\x02\x18\x02"};
const std::string kMemory{"\x1a\x03\x08\x80\x08"};
const std::string kPackages{"\x3a\x10\x0a\x04" "dpkg\x12\x03\x0a\x01" "b\x12\x03\x0a\x01" "a"};

class VmVerifyTest : public CliTest {
 protected:
    VmVerifyTest() {
        signed_in();
        vm.id = *VmId::parse(id("vm_"));
        vm.agent_id = *AgentId::parse(id("agt_"));
        vm.name = "web-1";
        vm.reported.os.emplace();
        vm.reported.cpu.emplace().cores = 2;
        vm.reported.memory.emplace().total_bytes = 1024;
        vm.memory_total_bytes = 1024;
        vm.packages = 2;
        proofs = {
            make_proof(SectionName::cpu, kCpu), make_proof(SectionName::memory, kMemory),
            make_proof(SectionName::packages, kPackages), make_proof(SectionName::os, "\x0a\0"s),
            make_proof(SectionName::disks, "\x22\0"s),
            make_proof(SectionName::filesystems, "\x2a\0"s),
            make_proof(SectionName::network, "\x32\0"s)
        };
    }

    SignedSection make_proof(SectionName section, const std::string& content) {
        SignedSection made;
        made.vm_id = vm.id;
        made.agent_id = vm.agent_id;
        made.section = section;
        made.signed_at = clock.now();
        made.key_id = key.key_id();
        made.public_key = key.public_key_base64url();
        made.content = crypto::to_base64url(content);
        made.statement = crypto::statement_of(crypto::SectionReport{
            .agent_id = vm.agent_id.text(),
            .section = enum_name(section),
            .signed_at_us = to_micros(made.signed_at),
            .content = content,
        });
        made.signature = crypto::to_base64url(key.sign(made.statement));
        return made;
    }
    template <class T>
    void answer(const T& body) {
        std::string text;
        api::Codec<T>::write_json(body, text);
        server.answer(200, text);
    }
    void answer_all() {
        vm.reported.sections.clear();
        for (const auto& proof : proofs) {
            auto& info = vm.reported.sections.emplace_back();
            info.section = proof.section;
            info.signed_at = proof.signed_at;
            info.key_id = proof.key_id;
        }
        answer(vm);
        if (proofs.size() > 2) answer(packages);
        for (const auto& proof : proofs) answer(proof);
    }
    // Exit code and what is printed, of the server's answers as they are now.
    std::string verify(const std::vector<std::string>& more = {"--json"}) {
        answer_all();
        return verify_scripted(more);
    }
    std::string verify_scripted(const std::vector<std::string>& more = {"--json"}) {
        std::vector<std::string> words{"vms", "verify", id("vm_")};
        words.insert(words.end(), more.begin(), more.end());
        const auto code = run(words);
        EXPECT_TRUE(server.answers.empty());
        return std::to_string(code) + " " + out.str();
    }

    crypto::Ed25519Key key = crypto::Ed25519Key::generate(random);
    vm_registry::Vm vm;
    vm_registry::PackagePage packages{{{{"a"}, {""}, {""}}, {{"b"}, {""}, {""}}}, {}};
    std::vector<SignedSection> proofs;
};

TEST_F(VmVerifyTest, what_is_shown_as_it_was_signed_is_proven) {
    const auto shown = verify({});
    EXPECT_THAT(shown, HasSubstr("0 " + vm.id.text() + ", with the agent " + vm.agent_id.text()));
    EXPECT_THAT(shown, HasSubstr(key.key_id()));
    EXPECT_THAT(err.str(), HasSubstr("--key")) << "how to be sure of the key";
    EXPECT_THAT(verify(), HasSubstr(R"("proven":true)"));
    verify({"--key", key.key_id()});
    EXPECT_EQ(err.str(), "");
}

TEST_F(VmVerifyTest, what_is_shown_otherwise_than_it_was_signed_is_found) {
    const std::string differs = R"("result":"differs"})";
    vm.reported.cpu->cores = 4;
    EXPECT_THAT(verify(), HasSubstr(R"("keyId":")" + key.key_id() + "\"," + differs));
    EXPECT_THAT(verify({}), HasSubstr("not what the VM signed"));
    EXPECT_THAT(err.str(), HasSubstr("1 of 7 sections"));
    vm.reported.cpu.reset();
    EXPECT_THAT(verify(), ::testing::AllOf(HasSubstr("1 {"), HasSubstr(differs)));
    vm.reported.cpu.emplace().cores = 2;
    packages.items.pop_back();
    EXPECT_THAT(verify(), ::testing::AllOf(HasSubstr("1 {"), HasSubstr(differs)));
    packages.items.clear();
    EXPECT_THAT(verify(), ::testing::AllOf(HasSubstr("1 {"), HasSubstr(differs)));
}

TEST_F(VmVerifyTest, so_are_the_columns_of_lists) {
    const auto right = vm;
    const auto expect_one_differs = [&](const char* what) {
        const auto shown = verify();
        EXPECT_THAT(shown, HasSubstr(R"("result":"differs")")) << what;
        EXPECT_THAT(err.str(), HasSubstr("1 of 7 sections")) << what;
        vm = right;
    };
    vm.os = "Other";
    expect_one_differs("os");
    vm.kernel = "6.12";
    expect_one_differs("kernel");
    vm.architecture = "riscv64";
    expect_one_differs("architecture");
    vm.cpu_threads = 64;
    expect_one_differs("threads");
    vm.memory_total_bytes = 1;
    expect_one_differs("memory");
    vm.disk_total_bytes = 1;
    expect_one_differs("disk");
    vm.packages = 3;
    expect_one_differs("packages");
}

TEST_F(VmVerifyTest, a_section_that_was_removed_is_missed) {
    proofs.pop_back();
    const auto shown = verify();
    const std::string row =
        R"({"section":"network","signedAt":null,"keyId":null,"result":"missing"})";
    EXPECT_THAT(shown, HasSubstr(row));
    EXPECT_THAT(shown, HasSubstr("1 {"));
    EXPECT_THAT(verify({}), HasSubstr("not there"));
}

TEST_F(VmVerifyTest, another_vms_proofs_are_no_proofs) {
    vm.id = *VmId::parse(id("vm_", kUlid2));
    vm.agent_id = AgentId::derived_from(vm.id);
    for (auto& proof : proofs) {
        const auto content = crypto::from_base64url(proof.content).value();
        proof = make_proof(proof.section, content);
    }
    EXPECT_THAT(verify({}), HasSubstr("the signature does not hold"));
    EXPECT_THAT(err.str(), HasSubstr("7 of 7 sections"));
}

TEST_F(VmVerifyTest, a_proof_of_something_else_is_no_proof) {
    const auto right = proofs;
    const auto expect_invalid = [&](const char* what) {
        const auto shown = verify();
        EXPECT_THAT(shown, HasSubstr("1 {")) << what;
        EXPECT_THAT(shown, HasSubstr(R"("result":"invalid")")) << what;
        proofs = right;
    };
    proofs[0].content = crypto::to_base64url("\x12\x02\x18\x04");
    expect_invalid("another content");
    proofs[0].signed_at += std::chrono::seconds{1};
    expect_invalid("another time");
    proofs[0].public_key =
        crypto::Ed25519Key::generate(random).public_key_base64url();
    expect_invalid("another key");
    proofs[0].key_id = "xxxxxxxxxxxxxxxx";
    expect_invalid("a key that is called otherwise");
    proofs[0].signature = "%";
    expect_invalid("no signature");
    // The statement that the server shows is nobody's word.
    proofs[0].content = crypto::to_base64url("\x12\x02\x18\x04");
    vm.reported.cpu->cores = 4;
    expect_invalid("the right statement beside another content");
}

TEST_F(VmVerifyTest, a_server_that_signs_with_a_key_of_its_own_is_found_by_who_knows_the_key) {
    const auto agents_key = key.key_id();
    key = crypto::Ed25519Key::generate(random);
    proofs[0] = make_proof(SectionName::cpu, kCpu);
    EXPECT_THAT(verify(), HasSubstr("0 {")) << "nothing says whose key it is";
    EXPECT_THAT(verify({"--key", agents_key}), HasSubstr("signed by another key"));
    verify({"--key", agents_key, "--key", key.key_id()});
    EXPECT_EQ(err.str(), "");
}

TEST_F(VmVerifyTest, a_key_that_is_no_key_id_is_a_usage_error) {
    EXPECT_EQ(run({"vms", "verify", id("vm_"), "--key", "short"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("16 characters"));
}

TEST_F(VmVerifyTest, nothing_that_is_unsigned_is_proven) {
    proofs.resize(1);
    answer_all();
    server.answers.clear();
    vm.reported.sections[0].signed_at.reset();
    vm.reported.sections[0].key_id.reset();
    answer(vm);
    EXPECT_THAT(verify_scripted({}), HasSubstr("not signed"));
    vm.reported.sections.clear();
    answer(vm);
    EXPECT_THAT(verify_scripted(), HasSubstr(R"(","proven":false,)"));
    EXPECT_THAT(err.str(), HasSubstr("reported nothing yet"));
}

TEST_F(VmVerifyTest, a_proof_that_is_not_there_is_a_finding_about_that_section_alone) {
    answer_all();
    server.answers.pop_back();
    server.refuse(404, "inventory.unsigned", "It is not signed.");
    const auto shown = verify_scripted();
    EXPECT_THAT(shown, HasSubstr(R"("result":"noProof"}])"));
    EXPECT_THAT(shown, HasSubstr(R"("result":"ok"})"));
    EXPECT_THAT(err.str(), HasSubstr("1 of 7 sections"));
    answer_all();
    server.answers.pop_back();
    server.refuse(503, "database.unavailable", "Not now.");
    EXPECT_THAT(verify_scripted(), HasSubstr("5 ")) << "nothing is known";
}

TEST_F(VmVerifyTest, a_section_that_is_replaced_meanwhile_is_read_again) {
    answer_all();
    for (int i = 0; i < 6; ++i) server.answers.pop_back();
    auto newer = proofs[1];
    newer.signed_at += std::chrono::seconds{1};
    answer(newer);
    EXPECT_THAT(verify(), HasSubstr(R"("proven":true)"));
}

}  // namespace
}  // namespace synapsex::cli::testing

#include "controlplane/app/service_keys.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "controlplane/app/start_refused.hpp"
#include "shared/crypto/file_key_store.hpp"
#include "shared/crypto/hash.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::app {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kOwn(32, 'o');
const std::string kOther(32, 'x');
const std::string kNext(32, 'n');

class ServiceKeysTest : public ::testing::Test {
 protected:
    ServiceKeysTest() { fs::create_directories(service_key_folder(folder.path())); }

    void write(const std::string& name, const std::string& content, unsigned mode = 0644) {
        const auto path = service_key_folder(folder.path()) / name;
        std::ofstream{path} << content;
        fs::permissions(path, static_cast<fs::perms>(mode));
    }
    std::vector<context::Peer> load() { return load_peers(folder.path(), services, kOwn); }
    std::string refusal() {
        try {
            load();
        } catch (const StartRefused& refused) {
            return refused.what();
        }
        return {};
    }
    static std::string line_of(const std::string& key) { return crypto::to_base64url(key) + "\n"; }

    testing::TemporaryFolder folder;
    const std::vector<std::string> services{"api-gateway", "tenant-service"};
};

TEST_F(ServiceKeysTest, without_a_file_a_service_is_known_by_the_own_key) {
    fs::remove(service_key_folder(folder.path()));
    const auto peers = load();
    ASSERT_EQ(peers.size(), 2U);
    EXPECT_EQ(peers[0].service, "api-gateway");
    EXPECT_THAT(peers[0].public_keys, ElementsAre(kOwn));
}

TEST_F(ServiceKeysTest, a_file_adds_keys_to_its_service_alone) {
    write("api-gateway.pub", "# the gateway's\n\n" + line_of(kOther) + line_of(kNext));
    const auto peers = load();
    EXPECT_THAT(peers[0].public_keys, ElementsAre(kOwn, kOther, kNext));
    EXPECT_THAT(peers[1].public_keys, ElementsAre(kOwn));
}

TEST_F(ServiceKeysTest, what_is_no_pub_file_is_left_alone) {
    write("README", "hello");
    EXPECT_EQ(load().size(), 2U);
}

TEST_F(ServiceKeysTest, a_file_of_no_service_is_a_mistake) {
    write("gateway.pub", line_of(kOther));
    EXPECT_THAT(refusal(), HasSubstr("gateway.pub is called as no service is"));
}

TEST_F(ServiceKeysTest, a_line_that_is_no_key_is_refused) {
    for (const std::string content :
         {"ssh-ed25519 AAAA\n", "AAAA\n", "-----BEGIN PUBLIC KEY-----\n"}) {
        write("api-gateway.pub", content);
        EXPECT_THAT(refusal(), HasSubstr("a line that is no public key")) << content;
    }
    write("api-gateway.pub", "# nothing\n");
    EXPECT_THAT(refusal(), HasSubstr("holds no public key"));
    std::string many;
    for (char c = 'a'; c <= 'i'; ++c) many += line_of(std::string(32, c));
    write("api-gateway.pub", many);
    EXPECT_THAT(refusal(), HasSubstr("more than 8"));
}

TEST_F(ServiceKeysTest, a_file_that_others_may_write_is_refused) {
    for (const unsigned mode : {0664U, 0646U}) {
        write("api-gateway.pub", line_of(kOther), mode);
        EXPECT_THAT(refusal(), HasSubstr("may be written by others")) << mode;
    }
}

TEST_F(ServiceKeysTest, the_own_key_is_made_once) {
    testing::SeededRandom random;
    crypto::FileKeyStore keys{folder.path(), random};
    const auto first = own_service_key(keys)->public_key();
    EXPECT_EQ(first.size(), 32U);
    EXPECT_EQ(own_service_key(keys)->public_key(), first);
}

}  // namespace
}  // namespace synapsex::app

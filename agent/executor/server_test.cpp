// The socket with good clients and bad ones.

#include "agent/executor/server.hpp"

#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "agent/executor/client.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synapsex::executor {
namespace {

using namespace std::chrono_literals;

class ServerTest : public ::testing::Test {
 protected:
    void start() {
        auto server = Server::open(
            {.path = path_,
             .lock = directory_.path() / "executor.lock",
             .worker_uid = worker_uid_,
             .worker_gid = ::getegid(),
             .request_time = request_time_},
            clock_,
            [](Verb verb) {
                if (verb == Verb::status) return Answer{.status = Status{.version = "test"}};
                return Answer{.error_code = "executor.worker_unknown"};
            }
        );
        ASSERT_TRUE(server) << server.error().detail;
        thread_ = std::thread{[this, running = *std::move(server)]() mutable {
            running.run(stop_.number());
        }};
    }
    ~ServerTest() override { stop(); }
    void stop() {
        ::eventfd_write(stop_.number(), 1);
        if (thread_.joinable()) thread_.join();
    }

    // A client that says whatever it likes.
    Descriptor connect() const {
        auto socket = make_socket();
        const auto address = address_of(path_);
        const auto* plain = reinterpret_cast<const sockaddr*>(&address);
        EXPECT_EQ(::connect(socket.number(), plain, sizeof address), 0);
        return socket;
    }
    static Descriptor make_socket() {
        return Descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    }
    static sockaddr_un address_of(const std::filesystem::path& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.string().copy(address.sun_path, sizeof address.sun_path - 1);
        return address;
    }
    static void say(const Descriptor& socket, std::string_view bytes) {
        ::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    // This thread alone: glibc's seteuid would take the server's thread along.
    static long become(uid_t user) { return ::syscall(SYS_setresuid, -1, user, -1); }
    // Waits for the server to hang up.
    static bool is_hung_up(const Descriptor& socket) {
        char byte = 0;
        return ::recv(socket.number(), &byte, 1, 0) <= 0;
    }
    bool is_serving() const {
        const auto answer = ask(path_, Verb::status, 3s);
        return answer && answer->status && answer->status->version == "test";
    }

    // Counts how often the server looks at it: about once in each turn of its loop.
    class CountingClock final : public Clock {
     public:
        Timestamp now() const override { return SystemClock{}.now(); }
        SteadyTime steady_now() const override {
            ++looks;
            return SystemClock{}.steady_now();
        }
        mutable std::atomic<int> looks = 0;
    };

    CountingClock clock_;
    synapsex::testing::TemporaryFolder directory_;
    std::filesystem::path path_ = directory_.path() / "executor.sock";
    uid_t worker_uid_ = ::geteuid();
    std::chrono::milliseconds request_time_ = 100ms;
    Descriptor stop_{::eventfd(0, EFD_CLOEXEC)};
    std::thread thread_;
};

TEST_F(ServerTest, answers_one_request_on_each_connection) {
    start();
    EXPECT_TRUE(is_serving());
    const auto refused = ask(path_, Verb::restart_worker, 3s);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->error_code, "executor.worker_unknown");
}

TEST_F(ServerTest, outlives_bad_clients) {
    start();
    const auto oversized = connect();
    say(oversized, "\xFF\xFF\xFF\xFF");
    EXPECT_TRUE(is_hung_up(oversized));
    const auto garbage = connect();
    say(garbage, make_frame("\xFF\xFF\xFF"));
    EXPECT_FALSE(is_hung_up(garbage)) << "it is told that the request is bad";
    { const auto leaves_at_once = connect(); }
    {
        const auto leaves_amid_a_frame = connect();
        say(leaves_amid_a_frame, "\x10");
    }
    EXPECT_TRUE(is_serving());
}

TEST_F(ServerTest, hangs_up_on_the_slow_and_serves_the_others_meanwhile) {
    start();
    const auto slow = connect();
    say(slow, "\x10");
    EXPECT_TRUE(is_serving());
    EXPECT_TRUE(is_hung_up(slow));
}

TEST_F(ServerTest, makes_room_again_when_all_places_are_taken) {
    start();
    std::vector<Descriptor> idle;
    for (std::size_t i = 0; i < Server::kConnectionsMax; ++i) idle.push_back(connect());
    EXPECT_TRUE(is_hung_up(idle.front()));
    EXPECT_TRUE(is_serving());
}

TEST_F(ServerTest, keeps_places_for_root_whatever_the_worker_holds) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
    worker_uid_ = 65534;
    request_time_ = 60s;
    start();
    ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
    ASSERT_EQ(become(worker_uid_), 0);
    std::vector<Descriptor> held;
    for (std::size_t i = 0; i < Server::kWorkerConnectionsMax; ++i) held.push_back(connect());
    const auto one_more = connect();
    EXPECT_TRUE(is_hung_up(one_more)) << "at once, since nothing ends for 60 s";
    ASSERT_EQ(become(0), 0);
    EXPECT_TRUE(is_serving());
}

TEST_F(ServerTest, makes_its_socket_for_owner_and_group_alone) {
    start();
    struct stat facts {};
    ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0660U);
}

TEST_F(ServerTest, replaces_the_socket_that_a_killed_executor_left) {
    std::ofstream{path_} << "left behind";
    start();
    EXPECT_TRUE(is_serving());
}

TEST_F(ServerTest, leaves_an_executor_that_serves_alone) {
    start();
    const auto second = Server::open(
        {.path = path_, .lock = directory_.path() / "executor.lock"}, clock_, {}
    );
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, "executor.already_running");
    EXPECT_TRUE(is_serving());
}

TEST_F(ServerTest, removes_its_own_socket_and_no_other) {
    start();
    stop();
    EXPECT_FALSE(std::filesystem::exists(path_));
    stop_ = Descriptor{::eventfd(0, EFD_CLOEXEC)};
    start();
    // The file of the first keeps its inode, so that the second gets another.
    std::filesystem::rename(path_, path_.string() + ".old");
    std::ofstream{path_} << "somebody else's";
    stop();
    EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(ServerTest, does_not_spin_while_no_descriptor_is_left) {
    start();
    const auto waits = connect();
    say(waits, "\x10");  // hung up on after 100 ms
    const auto refused = connect();
    say(refused, "\xFF\xFF\xFF\xFF");
    ASSERT_TRUE(is_hung_up(refused)) << "so the one before it has its place";
    const auto late = make_socket();
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    // No descriptor is left below the limit; not a lower one, since poll() itself needs some.
    std::vector<Descriptor> taken;
    do taken.emplace_back(::dup(stop_.number()));
    while (taken.back().number() < 16);
    const rlimit none{
        .rlim_cur = static_cast<rlim_t>(taken.back().number()) + 1, .rlim_max = before.rlim_max
    };
    const auto address = address_of(path_);
    // Plain calls alone: the sanitizers want descriptors for what they check.
    ::setrlimit(RLIMIT_NOFILE, &none);
    const int connected = ::connect(
        late.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address
    );
    const int looks = clock_.looks;
    const bool is_over = is_hung_up(waits);
    const int more_looks = clock_.looks - looks;
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(connected, 0);
    EXPECT_TRUE(is_over);
    EXPECT_LT(more_looks, 100);
    say(late, make_frame(encode_request(Verb::status)));
    EXPECT_FALSE(is_hung_up(late)) << "it is served as soon as there is a descriptor";
}

TEST_F(ServerTest, refuses_a_directory_that_others_may_write_to) {
    ASSERT_EQ(::chmod(directory_.path().c_str(), 0777), 0);
    const auto server = Server::open({.path = path_}, clock_, {});
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, "executor.socket_unsafe");
}

TEST_F(ServerTest, turns_strangers_away) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
    start();
    ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod(path_.c_str(), 0666), 0) << "so that only the peer's credentials decide";
    ASSERT_EQ(become(65534), 0);
    const auto answer = ask(path_, Verb::status, 3s);
    ASSERT_EQ(become(0), 0);
    EXPECT_FALSE(answer);
    EXPECT_TRUE(is_serving());
}

}  // namespace
}  // namespace synapsex::executor

// Reading a JSON body of 1 KB: README.md.

#include <algorithm>
#include <boost/json/parse.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "controlplane/platform/api/codec_impl.hpp"

namespace bench {

using namespace synapsex;

enum class Verb { install, remove, hold };
BOOST_DESCRIBE_ENUM(Verb, install, remove, hold)

struct Package {
    Text<1, 128> name;
    Text<1, 64> version;
    Verb verb = Verb::install;
    Default<Int<0, 100>, 10> priority;
};
BOOST_DESCRIBE_STRUCT(Package, (), (name, version, verb, priority))

struct Change {
    Text<1, 100> title;
    std::optional<Text<0, 500>> reason;
    TenantId tenant_id;
    List<VmId, 100> vm_ids;
    List<Package, 100> packages;
    Int<1, 1000> max_in_flight;
    bool is_dry_run = false;
};
BOOST_DESCRIBE_STRUCT(
    Change, (), (title, reason, tenant_id, vm_ids, packages, max_in_flight, is_dry_run)
)

}  // namespace bench

template struct synapsex::api::Codec<bench::Change>;

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kBodies = 20'000;
constexpr double kMostMicroseconds = 10;

std::string make_body() {
    std::string body =
        R"({"title":"Security updates of the week","reason":"CVE-2026-1234, agreed with the )"
        R"(owners of the shop; back out by the saved snapshot if checkouts fail.",)"
        R"("tenantId":"ten_01jgkx8m4e6w9p2r5t7v9x1z3c","vmIds":[)"
        R"("vm_01jgkx8m4e6w9p2r5t7v9x1z3a","vm_01jgkx8m4e6w9p2r5t7v9x1z3b",)"
        R"("vm_01jgkx8m4e6w9p2r5t7v9x1z3d"],"maxInFlight":25,"isDryRun":true,"packages":[)";
    for (int i = 0; i < 8; ++i)
        body += R"({"name":"libexample-package)" + std::to_string(i) +
                R"(","version":"3.40.1-2+deb12u)" + std::to_string(i) +
                R"(","verb":"install","priority":)" + std::to_string(i * 10) + "},";
    body.back() = ']';
    return body + '}';
}

template <class Fn>
double microseconds_of(const Fn& read) {
    const auto started = Clock::now();
    for (int i = 0; i < kBodies; ++i) read();
    return std::chrono::duration<double, std::micro>{Clock::now() - started}.count() / kBodies;
}

double print(const char* name, std::vector<double> values) {
    std::ranges::sort(values);
    const double median = values[values.size() / 2];
    std::printf("%-34s %6.2f us (%.2f to %.2f)\n", name, median, values.front(), values.back());
    return median;
}

}  // namespace

int main(int argc, char** argv) {
    int rounds = 7;
    if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), rounds);
    const auto body = make_body();
    std::size_t read = 0;
    std::vector<double> ours;
    std::vector<double> peers;
    for (int i = 0; i < rounds; ++i) {
        peers.push_back(microseconds_of([&] {
            read += boost::json::parse(body).as_object().size();
        }));
        ours.push_back(microseconds_of([&] {
            using Codec = synapsex::api::Codec<bench::Change>;
            const auto change = Codec::read_json(body, synapsex::api::Unknown::reject);
            read += change.value().packages.size();
        }));
    }
    std::printf(
        "a body of %zu bytes, %d rounds of %d, %zu read\n", body.size(), rounds, kBodies, read
    );
    const double peer = print("boost::json::parse, a DOM alone", peers);
    const double median = print("Codec::read_json (target <= 10)", ours);
    std::printf("%-34s %6.2f\n", "read_json / parse", median / peer);
    return median <= kMostMicroseconds ? 0 : 1;
}

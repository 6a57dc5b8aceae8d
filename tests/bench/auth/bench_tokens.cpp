// Finding out who calls: README.md.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "controlplane/services/auth/access_tokens.hpp"
#include "controlplane/services/auth/principal_cache.hpp"
#include "shared/base/random.hpp"
#include "shared/crypto/ed25519.hpp"

namespace {

using namespace synapsex;
using Steady = std::chrono::steady_clock;

constexpr double kColdMost = 120;
constexpr double kWarmMost = 3;

// Microseconds of one, over `count`.
double measure(int count, const std::function<bool()>& once) {
    const auto begun = Steady::now();
    for (int i = 0; i < count; ++i)
        if (!once()) throw std::runtime_error("a token that holds was refused");
    const std::chrono::duration<double, std::micro> took = Steady::now() - begun;
    return took.count() / count;
}

double show(const char* what, std::vector<double> of_rounds) {
    std::ranges::sort(of_rounds);
    const auto median = of_rounds[of_rounds.size() / 2];
    std::printf(
        "%-28s %7.2f us (%.2f to %.2f)\n", what, median, of_rounds.front(), of_rounds.back()
    );
    return median;
}

int run(int rounds) {
    SystemClock clock;
    SystemRandom random;
    const auto key = std::make_shared<crypto::Ed25519Key>(crypto::Ed25519Key::generate(random));
    const auth::AccessTokens tokens{
        "https://synapsex.example.com", crypto::SigningKeys::of(key), clock, random
    };
    auto principal = std::make_shared<Principal>();
    principal->tenant = TenantId::make(clock.now(), random);
    principal->user = UserId::make(clock.now(), random);
    const auto token = tokens.issue_to_user(
        principal->tenant, principal->user, SessionId::make(clock.now(), random)
    );
    const auto signed_part = token.substr(0, token.rfind('.'));
    const auto signature = key->sign(signed_part);

    auth::PrincipalCache cache{clock, 20'000};
    const Credential credential{token, {}};
    cache.put(credential, principal, clock.steady_now() + std::chrono::hours{1}, cache.epoch());

    std::vector<double> bare;
    std::vector<double> cold;
    std::vector<double> warm;
    for (int round = 0; round < rounds; ++round) {
        bare.push_back(measure(2'000, [&] {
            return crypto::verify_ed25519(key->public_key(), signed_part, signature);
        }));
        cold.push_back(measure(2'000, [&] { return tokens.verify(token).has_value(); }));
        warm.push_back(measure(200'000, [&] { return cache.find(credential) != nullptr; }));
    }
    const auto least = show("bare signature", bare);
    const auto cold_median = show("cold: the whole token", cold);
    const auto warm_median = show("warm: from memory", warm);
    std::printf("cold is %.2f of the bare signature\n", cold_median / least);
    return cold_median <= kColdMost && warm_median <= kWarmMost ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    int rounds = 7;
    if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), rounds);
    return run(std::max(rounds, 1));
}

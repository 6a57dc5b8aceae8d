// Work items claimed by many workers at once, on an engine of choice: see README.md.
//
//   bench_claims <database url> [rounds]

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/platform/db/migrate.hpp"
#include "controlplane/platform/leases/migrations.hpp"
#include "controlplane/platform/leases/work_items.hpp"
#include "shared/base/log.hpp"
#include "tests/bench/db/open_database.hpp"

namespace synapsex::leases {
namespace {

using namespace std::chrono_literals;
using Clocked = std::chrono::steady_clock;

constexpr int kWorkers = 16;
constexpr std::int64_t kBatch = 50;
constexpr std::int64_t kItems = 20'000;
constexpr std::string_view kQueue = "bench.claims";
constexpr db::SystemScope kFill{"bench.fill"};
constexpr db::SystemScope kClaim{"bench.claim", db::Isolation::claims};
constexpr db::Query kClear{"bench.clear", "DELETE FROM platform_work_items"};

class Bench {
 public:
    explicit Bench(const std::string& url)
        : database_(db::open_database(url, clock_, random_, metrics_)) {
        const std::array services{db::ServiceMigrations{"platform.leases", kMigrations}};
        db::migrate(*database_, services, clock_);
    }

    // Claims a second, until none is left.
    double run(int workers) {
        fill();
        std::atomic<std::int64_t> claimed{0};
        const auto started = Clocked::now();
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < workers; ++i)
                threads.emplace_back([&, holder = "worker " + std::to_string(i)] {
                    while (const auto count = claim(holder)) claimed += count;
                });
        }
        const std::chrono::duration<double> took = Clocked::now() - started;
        if (claimed != kItems) std::abort();  // one was claimed twice, or never
        return static_cast<double>(claimed) / took.count();
    }

 private:
    void fill() {
        constexpr std::int64_t kStep = 500;
        for (std::int64_t first = 0; first < kItems; first += kStep) {
            const auto fn = [&](db::Session& session) -> Result<Done> {
                if (first == 0) session.execute(kClear);
                WorkItems items{session};
                for (std::int64_t i = first; i < first + kStep; ++i)
                    items.add(kQueue, "job_" + std::to_string(i), 0ms);
                return Done{};
            };
            database_->write(kFill, call_, fn).value();
        }
    }
    std::int64_t claim(const std::string& holder) {
        const auto fn = [&](db::Session& session) -> Result<std::int64_t> {
            const auto items = WorkItems{session}.claim(kQueue, holder, 10min, kBatch);
            return static_cast<std::int64_t>(items.size());
        };
        return database_->write(kClaim, call_, fn).value();
    }

    const SystemClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    std::unique_ptr<db::Database> database_;
    const Call call_ = Call::system("bench", Deadline::never());
};

void print(const char* what, std::vector<double> figures) {
    std::ranges::sort(figures);
    std::printf(
        "%-44s %10.0f claims/s (%.0f to %.0f)\n", what, figures[figures.size() / 2],
        figures.front(), figures.back()
    );
}

int run(const std::string& url, int rounds) {
    set_log_level(LogLevel::error);
    Bench bench{url};
    std::vector<double> many;
    std::vector<double> one;
    std::vector<double> ratios;
    bench.run(kWorkers);  // to warm up
    for (int i = 0; i < rounds; ++i) {
        many.push_back(bench.run(kWorkers));
        one.push_back(bench.run(1));
        ratios.push_back(many.back() / one.back());
    }
    std::ranges::sort(ratios);
    std::printf("median of %d rounds, %lld items in batches of %lld\n", rounds,
                static_cast<long long>(kItems), static_cast<long long>(kBatch));
    print("16 workers (target >= 5000 on PostgreSQL)", many);
    print("1 worker", one);
    std::printf("%-44s %10.2f\n", "16 workers / 1 worker", ratios[ratios.size() / 2]);
    return 0;
}

}  // namespace
}  // namespace synapsex::leases

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: bench_claims <database url> [rounds]\n", stderr);
        return 2;
    }
    return synapsex::leases::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 5);
}

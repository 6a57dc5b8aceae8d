#include <csignal>
#include <cstdio>
#include <malloc.h>
#include <thread>

#include "controlplane/app/commands.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/open_files.hpp"
#include "controlplane/app/services.hpp"
#include "controlplane/services/api_gateway/gateway.hpp"
#include "shared/base/version.hpp"

namespace synapsex::app {

namespace {

// Signals are blocked in every thread and waited for in this one.
sigset_t block_stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return signals;
}

std::unique_ptr<http::Server> listen(const Config& config, http::Application& application) {
    http::ServerOptions options;
    options.address = config.listen_address;
    options.port = config.listen_port;
    options.io_threads = config.io_threads;
    options.limits.connections_max = allow_connections(config.connections_max);
    options.limits.body_bytes_in_flight_max = config.body_bytes_in_flight_max;
    try {
        return std::make_unique<http::Server>(options, application);
    } catch (const std::system_error& error) {
        throw StartRefused(
            "cannot listen on " + config.listen_endpoint() + ": " + error.code().message() +
            "; choose another with --listen"
        );
    }
}

void publish_counters(Metrics& metrics, http::Server& server) {
    const auto gauge = [&](std::string_view name, std::string_view help, auto member) {
        metrics.gauge(name, help, [&server, member] {
            return static_cast<double>(server.counters().*member);
        });
    };
    gauge("synapsex_connections_open", "Open connections.", &http::ServerCounters::open);
    gauge("synapsex_connections_parked", "Connections held open.", &http::ServerCounters::parked);
    gauge("synapsex_connections_accepted", "Connections so far.", &http::ServerCounters::accepted);
    gauge("synapsex_connections_refused", "Over the limit.", &http::ServerCounters::refused);
    gauge("synapsex_connections_timed_out", "Cut at a deadline.", &http::ServerCounters::timed_out);
    gauge("synapsex_body_bytes", "Of requests in flight.", &http::ServerCounters::body_bytes);
}

}  // namespace

int serve(const Config& config) {
    // One heap for 64 threads that mostly wait: separate ones would each keep their own slack.
    mallopt(M_ARENA_MAX, 2);
    const auto signals = block_stop_signals();

    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    api::ParkingLot parking;
    TaskBook tasks{metrics, clock};
    const Platform platform{clock, random, metrics, parking, tasks};
    const auto identity = load_identity(config.data_dir);

    api::Router router;
    Services services{platform, config, identity};
    services.prepare(router);
    http::WorkerPool::Options pool_options;
    pool_options.threads = config.worker_threads;
    http::WorkerPool pool{pool_options};
    api_gateway::Gateway gateway{{
        .router = router,
        .authenticator = services.auth().authenticator(),
        .pool = pool,
        .clock = clock,
        .random = random,
        .metrics = metrics,
        .access_log =
            config.is_access_logged ? api_gateway::AccessLog::on : api_gateway::AccessLog::off,
    }};
    const auto server = listen(config, gateway);
    publish_counters(metrics, *server);
    services.start();
    server->start();
    log_info(
        "control plane serves", {{"version", kVersion},
                                 {"address", config.listen_address},
                                 {"port", server->port()},
                                 {"publicUrl", config.public_url}}
    );
    if (const auto notice = issuer_notice(config, identity.issuer)) log_warning(*notice);

    int signal = 0;
    sigwait(&signals, &signal);
    log_info("control plane stops", {{"signal", signal}});
    parking.wake_all(api::Wake::draining);
    server->stop();
    // Before what handlers use goes away: one that outlived the drain may still run.
    pool.stop();
    services.stop();
    log_info("control plane stopped");
    return 0;
}

int migrate(const Config& config) {
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    api::ParkingLot parking;
    TaskBook tasks{metrics, clock};
    const Platform platform{clock, random, metrics, parking, tasks};
    Services services{platform, config, load_identity(config.data_dir)};
    api::Router router;
    services.prepare(router);
    std::printf("The database has all that this release needs.\n");
    return 0;
}

}  // namespace synapsex::app

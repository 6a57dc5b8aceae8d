#include <csignal>
#include <cstdio>
#include <malloc.h>
#include <thread>

#include "controlplane/app/commands.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/open_files.hpp"
#include "controlplane/app/services.hpp"
#include "controlplane/platform/certificates/certificate_watch.hpp"
#include "controlplane/platform/certificates/own_certificate.hpp"
#include "controlplane/services/api_gateway/gateway.hpp"
#include "shared/base/version.hpp"
#include "shared/crypto/file_key_store.hpp"
#include "shared/crypto/public_key_pin.hpp"

namespace synapsex::app {

namespace {

// Signals are blocked in every thread and waited for in this one.
sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return signals;
}

// What TLS is spoken with, and what agents pin of it.
struct Certificates {
    std::unique_ptr<certificates::OwnCertificate> own;     // nullptr: one is given, or none needed
    std::unique_ptr<net::TlsCertificate> shown;            // nullptr: no TLS is asked for
    std::function<std::string()> authority_pin = [] { return std::string{}; };
};

template <class T>
T require(Result<T> outcome) {
    if (!outcome) throw StartRefused(outcome.error().detail);
    return *std::move(outcome);
}

Certificates open_certificates(const Config& config, const Clock& clock) {
    Certificates opened;
    if (!config.has_tls()) return opened;
    net::TlsFiles files{config.tls_certificate, config.tls_key, {}};
    if (config.has_own_certificate()) {
        load_authority(config.data_dir);
        opened.own = std::make_unique<certificates::OwnCertificate>(
            certificates::OwnCertificate::Parts{
                clock, authority_path(config.data_dir), config.data_dir / "tls" / "server.pem",
                config.tls_names}
        );
        require(opened.own->renew_if_due());
        files = opened.own->files();
        opened.authority_pin = [own = opened.own.get()] { return own->authority_pin(); };
    } else if (!config.tls_authority.empty()) {
        const auto pin = require(crypto::public_key_pin_of_file(config.tls_authority));
        opened.authority_pin = [pin] { return pin; };
        files.authority_pin = pin;
    }
    opened.shown = require(net::TlsCertificate::open(files));
    return opened;
}

std::unique_ptr<http::Server> listen(
    const Config& config, const net::TlsCertificate* certificate, http::Application& application
) {
    http::ServerOptions options;
    options.endpoints = {{config.listen_address, config.listen_port}};
    if (certificate != nullptr)
        options.endpoints.push_back(
            {config.listen_tls_address, config.listen_tls_port, certificate}
        );
    options.io_threads = config.io_threads;
    options.limits.connections_max = allow_connections(config.connections_max);
    options.limits.body_bytes_in_flight_max = config.body_bytes_in_flight_max;
    try {
        return std::make_unique<http::Server>(options, application);
    } catch (const std::system_error& error) {
        throw StartRefused(
            "cannot listen on " + std::string{error.what()} +
            "; choose another with --listen or --listen-tls"
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
    gauge("synapsex_tls_handshakes_failed", "So far.", &http::ServerCounters::handshakes_failed);
    gauge("synapsex_body_bytes", "Of requests in flight.", &http::ServerCounters::body_bytes);
}

// Its task, and what it watches with.
struct WatchedCertificate {
    WatchedCertificate(
        const Certificates& opened, db::Database& database, const Platform& platform
    )
        : watch({*opened.shown, opened.own.get(), database, platform.clock, platform.random,
                 platform.metrics}),
          task(certificates::kWatchCertificate, platform.tasks, [this]() -> Result<TaskRun> {
              SYNAPSEX_CHECK(watch.look());
              return TaskRun::done;
          }) {}

    certificates::CertificateWatch watch;
    PeriodicTask task;
};

std::unique_ptr<WatchedCertificate> watch_certificate(
    const Certificates& opened, db::Database& database, const Platform& platform
) {
    if (!opened.shown) return nullptr;
    return std::make_unique<WatchedCertificate>(opened, database, platform);
}

auto told_to(audit::Denials& denials) {
    return [&denials](const Call& call, const api_gateway::Denial& denial) {
        denials.note(
            call, {std::string{denial.operation}, std::string{denial.scope}, denial.code}
        );
    };
}

}  // namespace

int serve(const Config& config) {
    // One heap for 64 threads that mostly wait: separate ones would each keep their own slack.
    mallopt(M_ARENA_MAX, 2);
    require_owner(config.data_dir);
    const auto signals = block_signals();

    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    api::ParkingLot parking;
    wakeups::Board wakeups;
    TaskBook tasks{metrics, clock};
    const Platform platform{clock, random, metrics, parking, tasks, wakeups};
    const crypto::FileKeyStore keys{key_directory(config.data_dir), random};
    auto identity = load_identity(config.data_dir, keys);
    const auto certificates = open_certificates(config, clock);
    identity.authority_pin = certificates.authority_pin;
    if (const auto* own = certificates.own.get())
        identity.prove_time = [own](std::string_view nonce) { return own->prove_time(nonce); };

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
        .digest_key = keys.get_root_key().value().derive("synapsex.argument-digest").bytes(),
        .on_denied = told_to(services.audit().denials()),
        .pages = api_gateway::CrossOrigin{config.cors_origins},
        .proxies = api_gateway::TrustedProxies{config.trusted_proxies},
        .access_log =
            config.is_access_logged ? api_gateway::AccessLog::on : api_gateway::AccessLog::off,
    }};
    const auto server = listen(config, certificates.shown.get(), gateway);
    publish_counters(metrics, *server);
    services.start();
    auto watch = watch_certificate(certificates, services.installation(), platform);
    server->start();
    log_info(
        "control plane serves", {{"version", kVersion},
                                 {"address", config.listen_address},
                                 {"port", server->port()},
                                 {"tlsPort", certificates.shown ? server->port(1) : 0},
                                 {"publicUrl", config.public_url}}
    );
    if (const auto notice = issuer_notice(config, identity.issuer)) log_warning(*notice);

    int signal = 0;
    for (sigwait(&signals, &signal); signal == SIGHUP; sigwait(&signals, &signal)) {
        log_info("asked to read the certificate again", {{"hasTls", watch != nullptr}});
        if (watch) watch->task.hurry();
    }
    log_info("control plane stops", {{"signal", signal}});
    parking.wake_all(api::Wake::draining);
    server->stop();
    // Before what handlers use goes away: one that outlived the drain may still run.
    pool.stop();
    watch.reset();
    services.stop();
    log_info("control plane stopped");
    return 0;
}

int migrate(const Config& config) {
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    api::ParkingLot parking;
    wakeups::Board wakeups;
    TaskBook tasks{metrics, clock};
    const Platform platform{clock, random, metrics, parking, tasks, wakeups};
    const crypto::FileKeyStore keys{key_directory(config.data_dir), random};
    Services services{platform, config, load_identity(config.data_dir, keys)};
    api::Router router;
    services.prepare(router);
    std::printf("The database has all that this release needs.\n");
    return 0;
}

}  // namespace synapsex::app

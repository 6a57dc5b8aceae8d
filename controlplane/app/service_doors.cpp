#include "controlplane/app/service_doors.hpp"

#include "controlplane/app/edges.hpp"
#include "controlplane/app/service_keys.hpp"
#include "controlplane/services/api_gateway/documents.hpp"
#include "shared/crypto/file_key_store.hpp"

namespace synapsex::app {

namespace {

constexpr std::string_view kGateway = "api-gateway";

std::unique_ptr<http::Server> listen(
    const Config& config, const ServiceManifest& manifest, http::Application& application
) {
    http::ServerOptions options;
    const bool is_any = config.service_ports == ServicePorts::any;
    options.endpoints = {{"127.0.0.1", is_any ? std::uint16_t{0} : manifest.port}};
    options.limits.header_bytes_max = api_gateway::kDoorHeaderBytesMax;
    options.limits.connections_max = config.connections_max;
    options.limits.body_bytes_in_flight_max = config.body_bytes_in_flight_max;
    try {
        return std::make_unique<http::Server>(options, application);
    } catch (const std::system_error& error) {
        throw StartRefused(
            "cannot listen on " + std::string{error.what()} + ", the port of " +
            std::string{manifest.name} + "; end what has it, or leave --service-ports out"
        );
    }
}

}  // namespace

struct ServiceDoors::Door {
    Door(
        const Platform& platform, const Config& config, Services& services, Module& module,
        std::vector<context::Peer> peers, http::WorkerPool& pool
    )
        : manifest(module.manifest()),
          verifier({std::string{manifest.name}, std::move(peers), kEdges, platform.clock}) {
        services.mount(module, router);
        api_gateway::mount_health(router, [&services, &module] {
            return services.readiness_of(module);
        });
        door.emplace(api_gateway::ServiceDoor::Parts{
            .service = std::string{manifest.name},
            .router = router,
            .verifier = verifier,
            .pool = pool,
            .clock = platform.clock,
            .random = platform.random,
            .metrics = platform.metrics,
            .access_log = config.is_access_logged ? api_gateway::AccessLog::on
                                                  : api_gateway::AccessLog::off,
        });
        server = listen(config, manifest, *door);
    }

    const ServiceManifest& manifest;
    api::Router router{};
    context::Verifier verifier;
    std::optional<api_gateway::ServiceDoor> door{};
    std::unique_ptr<http::Server> server{};
};

ServiceDoors::ServiceDoors(
    const Platform& platform, const Config& config, Services& services, http::WorkerPool& pool
) {
    if (config.service_ports == ServicePorts::off) return;
    crypto::FileKeyStore keys{key_directory(config.data_dir), platform.random};
    const auto own = own_service_key(keys)->public_key();
    std::vector<std::string> names;
    for (const auto* module : services.modules()) names.emplace_back(module->manifest().name);
    const auto peers = load_peers(config.data_dir, names, own);
    for (auto* module : services.modules()) {
        if (module->manifest().name == kGateway) continue;
        doors_.push_back(
            std::make_unique<Door>(platform, config, services, *module, peers, pool)
        );
    }
}

ServiceDoors::~ServiceDoors() = default;

void ServiceDoors::start() {
    for (auto& door : doors_) {
        door->server->start();
        log_info(
            "service's port is open",
            {{"service", door->manifest.name}, {"port", door->server->port()}}
        );
    }
}

void ServiceDoors::stop() {
    for (auto& door : doors_) door->server->stop();
}

}  // namespace synapsex::app

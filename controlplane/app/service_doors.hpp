#pragma once

// The services' own ports on loopback, beside the gateway: `serve --service-ports`. Each is a
// server with one service's operations behind a ServiceDoor.

#include <memory>
#include <vector>

#include "controlplane/app/services.hpp"
#include "controlplane/services/api_gateway/service_door.hpp"

namespace synapsex::app {

class ServiceDoors {
 public:
    // All outlive it. Reads keys and binds the ports that the configuration asks for, which may be
    // none. Throws StartRefused.
    ServiceDoors(
        const Platform& platform, const Config& config, Services& services, http::WorkerPool& pool
    );
    ~ServiceDoors();

    void start();
    // As http::Server::stop().
    void stop();

 private:
    struct Door;
    std::vector<std::unique_ptr<Door>> doors_;
};

}  // namespace synapsex::app

// The HTTP server alone, under an application that does next to nothing: what is left is the cost
// of the server itself. Prints its ports, in clear and by TLS, then serves until its standard input
// ends.
//
//   bench_http_server <certificate> <key>      PEM files
//
//   GET /inline  an answer made on the I/O thread
//   GET /pool    the same by way of the worker pool
//   GET /park    held for ten minutes

#include <iostream>
#include <string>

#include "controlplane/platform/http/server.hpp"
#include "controlplane/platform/http/worker_pool.hpp"

namespace {

using namespace synapsex;
using namespace std::chrono_literals;

// As long as the answer to GET /v1/auth/me.
constexpr std::string_view kBody =
    R"({"id":"usr_01jgkx8m4e6w9p2r5t7v9x1z3b","email":"operator@example.com","fullName":"Olivia )"
    R"(Operator","tenantId":"ten_01jgkx8m4e6w9p2r5t7v9x1z3c","role":"owner"})";

class BenchApplication final : public http::Application {
 public:
    http::Plan plan(const http::RequestHead& head) override {
        http::Plan plan;
        plan.body_bytes_max = 64 * 1024;
        if (head.path == "/park") {
            plan.run = [this](std::string, http::Plan::DoneFn done) { done(hold()); };
        } else if (head.path == "/pool") {
            plan.run = [this](std::string, http::Plan::DoneFn done) {
                if (!pool_.submit([done] { done(reply()); })) done(api::Reply{.status = 503});
            };
        } else {
            plan.run = [](std::string, http::Plan::DoneFn done) { done(reply()); };
        }
        return plan;
    }

    api::Reply failure(const Problem& problem, const http::RequestHead*) override {
        return {.status = 500, .content_type = "text/plain", .body = problem.code};
    }

    void finished(const http::RequestHead*, int, std::chrono::nanoseconds) override {}

    void finish_held(
        std::function<api::Reply(api::Wake)> finish,
        api::Wake wake,
        std::function<void(api::Reply)> done
    ) override {
        done(finish(wake));
    }

 private:
    static api::Reply reply() { return {.body = std::string{kBody}}; }

    api::Outcome hold() {
        const auto key = std::to_string(next_key_++);
        return api::HeldReply{parking_.park(key), 600s, [](api::Wake) { return reply(); }};
    }

    api::ParkingLot parking_;
    http::WorkerPool pool_{{.threads = 8}};
    std::uint64_t next_key_ = 0;  // one I/O thread
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: bench_http_server <certificate> <key>\n";
        return 2;
    }
    const auto certificate = net::TlsCertificate::open({argv[1], argv[2]}).value();
    BenchApplication application;
    http::ServerOptions options;
    options.endpoints = {{.port = 0}, {.port = 0, .certificate = certificate.get()}};
    options.limits.connections_max = 100'000;
    http::Server server{options, application};
    server.start();
    std::cout << server.port(0) << ' ' << server.port(1) << std::endl;
    while (std::cin.get() != std::char_traits<char>::eof()) {}
    server.stop();
}

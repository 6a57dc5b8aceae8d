#include "controlplane/services/api_gateway/documents.hpp"

#include <gtest/gtest.h>

namespace synapsex::api_gateway {
namespace {

TEST(Reference, is_sent_from_where_it_lies) {
    Metrics metrics;
    api::Router router;
    mount_reference(router, {{}, metrics, "http://127.0.0.1:8080"});
    for (const auto& route : router.routes()) {
        const auto read = [&] {
            return std::get<api::Reply>(route->handle(Call::system("test", Deadline::never()), {}));
        };
        const auto once = read();
        const auto twice = read();
        EXPECT_FALSE(once.bytes().empty()) << route->operation.id;
        EXPECT_EQ(once.bytes().data(), twice.bytes().data()) << route->operation.id;
    }
}

TEST(Probes, readiness_is_503_as_long_as_one_check_fails) {
    Metrics metrics;
    api::Router router;
    bool is_ready = false;
    const auto read = [&] {
        return std::vector<Readiness>{{"a", true, "answers"}, {"b", is_ready, "warming \"up\""}};
    };
    mount_probes(router, {read, metrics, ""});
    const auto get = [&] {
        const auto match = router.find("GET", "/readyz");
        auto outcome = match.route->handle(Call::system("test", Deadline::never()), {});
        return std::get<api::Reply>(outcome);
    };
    EXPECT_EQ(get().status, 503);
    is_ready = true;
    EXPECT_EQ(get().status, 200);
    EXPECT_EQ(
        get().body,
        R"({"status":"ready","checks":[{"name":"a","ready":true,"detail":"answers"},)"
        R"({"name":"b","ready":true,"detail":"warming \"up\""}]})"
    );
}

}  // namespace
}  // namespace synapsex::api_gateway

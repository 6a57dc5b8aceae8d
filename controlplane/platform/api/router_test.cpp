#include "controlplane/platform/api/router.hpp"

#include <gmock/gmock.h>

#include "controlplane/platform/api/client.hpp"
#include "controlplane/platform/api/parameters.hpp"
#include "controlplane/platform/api/toy_api.hpp"

namespace synapsex::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kVm = "vm_01hv3m8q5t0000000000000000";
using Header = std::pair<std::string, std::string>;

OperationInfo raw(std::string_view id, std::string_view path, Verb method = Verb::get) {
    OperationInfo operation;
    operation.id = id;
    operation.method = method;
    operation.path = path;
    return operation;
}

Outcome no_answer(const Call&, const RequestParts&) {
    return Reply{};
}

class RouterPaths : public ::testing::Test {
 protected:
    RouterPaths() {
        mount("agents.list", "/v1/agents");
        mount("agents.create", "/v1/agents", Verb::post);
        mount("agents.get", "/v1/agents/{agentId}");
        mount("agents.remove", "/v1/agents/{agentId}", Verb::delete_);
        mount("agents.logs", "/v1/agents/{agentId}/logs");
        mount("agents.tokens", "/v1/agents/tokens");
        mount("agents.tokens.get", "/v1/agents/tokens/{tokenId}");
        mount("root", "/");
    }
    void mount(std::string_view id, std::string_view path, Verb method = Verb::get) {
        // "/" alone has one empty segment and no operation needs it.
        if (path != "/") router.mount_raw(raw(id, path, method), no_answer);
    }
    std::string id_of(std::string_view method, std::string_view path) const {
        const auto match = router.find(method, path);
        return match.route ? std::string{match.route->operation.id} : "";
    }

    Router router;
};

TEST_F(RouterPaths, lead_to_their_operations) {
    EXPECT_EQ(id_of("GET", "/v1/agents"), "agents.list");
    EXPECT_EQ(id_of("POST", "/v1/agents"), "agents.create");
    EXPECT_EQ(id_of("DELETE", "/v1/agents/x"), "agents.remove");
    const auto match = router.find("GET", "/v1/agents/x/logs");
    EXPECT_EQ(match.route->operation.id, "agents.logs");
    EXPECT_THAT(match.path_parameters, ElementsAre(Header{"agentId", "x"}));
}

TEST_F(RouterPaths, with_literal_segments_win_over_parameters) {
    EXPECT_EQ(id_of("GET", "/v1/agents/tokens"), "agents.tokens");
    EXPECT_EQ(id_of("GET", "/v1/agents/tokens/x"), "agents.tokens.get");
    // Where the literal leads nowhere, the parameter does.
    const auto match = router.find("GET", "/v1/agents/tokens/logs");
    EXPECT_EQ(match.route->operation.id, "agents.tokens.get");
    EXPECT_THAT(match.path_parameters, ElementsAre(Header{"tokenId", "logs"}));
}

TEST_F(RouterPaths, serve_head_by_get) {
    EXPECT_EQ(id_of("HEAD", "/v1/agents"), "agents.list");
}

TEST_F(RouterPaths, that_exist_under_other_methods_say_so) {
    for (const std::string_view method : {"PUT", "OPTIONS", "BREW", "get", ""}) {
        const auto match = router.find(method, "/v1/agents");
        EXPECT_EQ(match.route, nullptr);
        EXPECT_THAT(match.allowed, ElementsAre(Verb::get, Verb::post)) << method;
        EXPECT_THAT(match.path_parameters, IsEmpty());
    }
    EXPECT_THAT(router.find("POST", "/v1/agents/tokens").allowed, ElementsAre(Verb::get));
}

TEST_F(RouterPaths, are_decoded_once_after_splitting) {
    const auto match = router.find("GET", "/v1/%61gents/a%2Fb%2520c+d");
    ASSERT_NE(match.route, nullptr);
    EXPECT_THAT(match.path_parameters, ElementsAre(Header{"agentId", "a/b%20c+d"}));
}

TEST_F(RouterPaths, of_another_spelling_are_not_found) {
    for (const std::string_view path :
         {"",
          "/",
          "v1/agents",
          "/v1",
          "/v1/agents/",
          "/v1//agents",
          "//v1/agents",
          "/v1/./agents",
          "/v1/x/../agents",
          "/v1/agents/%2e%2e",
          "/v1/agents/..",
          "/V1/agents",
          "/v1/agents/%",
          "/v1/agents/%4",
          "/v1/agents/%zz",
          "/v1/agents/a%00b",
          "/v1/agents/x/logs/y",
          "/v1/agents/x/nothing",
          "*",
          "/v1\\agents"}) {
        const auto match = router.find("GET", path);
        EXPECT_EQ(match.route, nullptr) << path;
        EXPECT_THAT(match.allowed, IsEmpty()) << path;
    }
    std::string deep;
    for (int i = 0; i < 10'000; ++i) deep += "/a";
    EXPECT_EQ(router.find("GET", deep).route, nullptr);
}

TEST_F(RouterPaths, cannot_be_taken_twice) {
    EXPECT_THROW(mount("agents.list", "/v1/other"), std::logic_error);
    EXPECT_THROW(mount("agents.other", "/v1/agents"), std::logic_error);
    EXPECT_THROW(mount("agents.other", "/v1/agents/{id}", Verb::put), std::logic_error);
}

TEST_F(RouterPaths, have_to_be_well_formed) {
    EXPECT_THROW(mount("a", "v1"), std::logic_error);
    EXPECT_THROW(mount("a", "/v1/"), std::logic_error);
    EXPECT_THROW(mount("a", "/v1//x"), std::logic_error);
    EXPECT_THROW(mount("a", "/v1/x{y}"), std::logic_error);
    EXPECT_THROW(mount("a", "/v1/{}"), std::logic_error);
    EXPECT_THROW(mount("a", "/v1/{a}{b}"), std::logic_error);
}

// --- a whole call -----------------------------------------------------------------------------

// Answers calls from the router, as the gateway does.
class RouterTransport final : public Transport {
 public:
    explicit RouterTransport(const Router& router) : router_(router) {}

    Result<ClientResponse> send(
        Verb method,
        const std::string& target,
        std::string_view content_type,
        const std::string& body
    ) override {
        const auto reply = answer(method, target, content_type, body);
        return ClientResponse{reply.status, reply.body};
    }
    Reply answer(
        Verb method,
        const std::string& target,
        std::string_view content_type = "",
        const std::string& body = ""
    ) const {
        const auto question = std::min(target.find('?'), target.size());
        auto match = router_.find(verb_name(method), target.substr(0, question));
        if (!match.route) return Reply{.status = 404};
        RequestParts parts;
        parts.path = std::move(match.path_parameters);
        if (question < target.size()) parts.query = *parse_parameters(target.substr(question + 1));
        parts.media_type = content_type;
        parts.body = body;
        Call call{.request_id = "req_1", .tenant = {}, .principal = {}};
        auto outcome = match.route->handle(call, parts);
        if (auto* held = std::get_if<HeldReply>(&outcome)) return held->finish(Wake::news);
        return std::get<Reply>(std::move(outcome));
    }

 private:
    const Router& router_;
};

class MountedToy : public ::testing::Test {
 protected:
    MountedToy() {
        router.mount(toy::kGetWidget, [](const Call&, const toy::WidgetPath& path) {
            return get(path.widget_id);
        });
        router.mount(toy::kRemoveWidget, [](const Call&, const toy::WidgetPath&) {
            return Result<None>{None{}};
        });
        router.mount(
            toy::kListWidgets,
            [](const Call&, const toy::ListWidgets& list) -> Result<WithHeaders<toy::WidgetPage>> {
                toy::WidgetPage page;
                page.items.resize(static_cast<std::size_t>(list.limit.value.value));
                return WithHeaders<toy::WidgetPage>{page, {{"Link", "<x>; rel=\"next\""}}};
            }
        );
        router.mount(
            toy::kBeat,
            [this](const Call&, const toy::Beat& beat) -> Result<HeldOr<toy::Beat>> {
                if (beat.sequence < 10) return HeldOr<toy::Beat>{beat};
                Held<toy::Beat> held;
                held.ticket = parking.park("x");
                held.finish = [](Wake wake) -> Result<toy::Beat> {
                    return toy::Beat{*VmId::parse(kVm), wake == Wake::news ? 1 : 2};
                };
                return HeldOr<toy::Beat>{std::move(held)};
            }
        );
    }
    static Result<toy::Widget> get(const VmId& id) {
        if (id.text() != kVm)
            return Problem{
                .kind = Kind::not_found, .code = "widgets.not_found", .detail = "No such widget."};
        toy::Widget widget;
        widget.id = id;
        return widget;
    }

    ParkingLot parking;
    Router router;
    RouterTransport transport{router};
};

TEST_F(MountedToy, answers_with_json) {
    const auto reply = transport.answer(Verb::get, "/v1/widgets/" + kVm);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.content_type, "application/json");
    EXPECT_TRUE(reply.body.starts_with(R"({"id":"vm_01hv3m8q5t0000000000000000")"));
}

TEST_F(MountedToy, answers_nothing_with_204) {
    const auto reply = transport.answer(Verb::delete_, "/v1/widgets/" + kVm);
    EXPECT_EQ(reply.status, 204);
    EXPECT_EQ(reply.content_type, "");
    EXPECT_EQ(reply.body, "");
}

TEST_F(MountedToy, turns_problems_into_documents) {
    const auto reply = transport.answer(Verb::get, "/v1/widgets?limit=0&x=1");
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.content_type, "application/problem+json");
    EXPECT_EQ(
        reply.body,
        R"({"type":"https://docs.synapsex.ai/problems/request.invalid","title":"Bad Request",)"
        R"("status":400,"detail":"2 things are wrong with the request.","code":"request.invalid",)"
        R"("requestId":"req_1","errors":[{"pointer":"limit","code":"too_small",)"
        R"("detail":"must be at least 1"},{"pointer":"x","code":"unknown_parameter",)"
        R"("detail":"is not known here"}]})"
    );
}

TEST_F(MountedToy, adds_the_headers_of_a_handler) {
    const auto reply = transport.answer(Verb::get, "/v1/widgets?limit=1");
    EXPECT_THAT(reply.headers, ElementsAre(Header{"Link", "<x>; rel=\"next\""}));
}

TEST_F(MountedToy, answers_lines_with_a_line_for_each_item_and_the_next_page_in_a_header) {
    constexpr Operation<toy::ListWidgets, Lines<toy::Beat>> kExport{
        .id = "widgets.export", .path = "/v1/beats", .access = auth::anyone(),
        .summary = "Export."};
    router.mount(kExport, [](const Call&, const toy::ListWidgets& wish) {
        Lines<toy::Beat> lines;
        for (std::int64_t i = 1; i <= wish.limit.value; ++i)
            lines.items.push_back({*VmId::parse(kVm), i});
        return Result<Lines<toy::Beat>>{lines};
    });
    const auto reply = transport.answer(Verb::get, "/v1/beats?limit=2");
    EXPECT_EQ(reply.content_type, "application/x-ndjson");
    EXPECT_EQ(
        reply.body, R"({"widgetId":")" + kVm + R"(","sequence":1})" + "\n" + R"({"widgetId":")" +
                        kVm + R"(","sequence":2})" + "\n"
    );
    toy::ListWidgets wish;
    wish.limit.value.value = 3;
    const auto lines = call(transport, kExport, wish).value();
    ASSERT_EQ(lines.items.size(), 3U);
    EXPECT_EQ(lines.items[2].sequence, 3);
}

TEST_F(MountedToy, answers_protobuf_with_protobuf) {
    const auto path = "/v1/widgets/" + kVm + "/beat";
    auto reply = transport.answer(Verb::post, path, "application/x-protobuf", "7");
    EXPECT_EQ(reply.content_type, "application/x-protobuf");
    EXPECT_EQ(reply.body, "7");
    reply = transport.answer(Verb::post, path, "application/json", R"({"sequence":7})");
    EXPECT_EQ(reply.content_type, "application/json");
    EXPECT_EQ(reply.body, R"({"widgetId":"vm_01hv3m8q5t0000000000000000","sequence":7})");
    reply = transport.answer(Verb::post, path, "application/x-protobuf", "x");
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.content_type, "application/problem+json");
}

TEST_F(MountedToy, holds_an_answer_until_it_is_woken) {
    const auto path = "/v1/widgets/" + kVm + "/beat";
    const auto reply = transport.answer(Verb::post, path, "application/x-protobuf", "10");
    EXPECT_EQ(reply.body, "1");
}

TEST_F(MountedToy, is_called_by_its_operations) {
    const auto widget = call(transport, toy::kGetWidget, toy::WidgetPath{*VmId::parse(kVm)});
    ASSERT_TRUE(widget) << widget.error().detail;
    EXPECT_EQ(widget->id.text(), kVm);

    toy::ListWidgets wish;
    wish.limit.value.value = 2;
    const auto page = call(transport, toy::kListWidgets, wish);
    ASSERT_FALSE(page);  // widgets without an id: no answer of this version
    EXPECT_EQ(page.error().code, "client.bad_answer");

    EXPECT_TRUE(call(transport, toy::kRemoveWidget, toy::WidgetPath{*VmId::parse(kVm)}));
    EXPECT_EQ(call(transport, toy::kBeat, toy::Beat{*VmId::parse(kVm), 3})->sequence, 3);
}

TEST_F(MountedToy, gives_callers_the_problem_of_the_server) {
    const auto other = *VmId::parse("vm_01hv3m8q5t0000000000000001");
    const auto widget = call(transport, toy::kGetWidget, toy::WidgetPath{other});
    ASSERT_FALSE(widget);
    EXPECT_EQ(widget.error().kind, Kind::not_found);
    EXPECT_EQ(widget.error().code, "widgets.not_found");
    EXPECT_EQ(widget.error().detail, "No such widget.");
    EXPECT_THAT(widget.error().headers, ElementsAre(Header{"X-Request-Id", "req_1"}));

    toy::ListWidgets wish;
    wish.limit.value.value = 0;
    const auto page = call(transport, toy::kListWidgets, wish);
    ASSERT_FALSE(page);
    ASSERT_EQ(page.error().errors.size(), 1U);
    EXPECT_EQ(page.error().errors[0], (FieldProblem{"limit", "too_small", "must be at least 1"}));
}

TEST_F(MountedToy, refuses_an_operation_that_cannot_work) {
    auto broken = toy::kPatchWidget;
    broken.path = "/v1/widgets/{id}";
    const auto handler = [](const Call&, const toy::PatchWidget&) {
        return Result<toy::Widget>{toy::Widget{}};
    };
    EXPECT_THROW(router.mount(broken, handler), std::logic_error);
}

}  // namespace
}  // namespace synapsex::api

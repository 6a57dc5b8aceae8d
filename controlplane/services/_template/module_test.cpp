// The module mounted as one more service, called through the router as the gateway does.

#include "controlplane/services/_template/module.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>

#include "controlplane/platform/api/client.hpp"
#include "controlplane/platform/api/openapi.hpp"
#include "controlplane/platform/api/parameters.hpp"
#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/services/_template/api.hpp"
#include "controlplane/services/_template/migrations.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::_template {
namespace {

// Calls the router as one tenant.
class RouterTransport final : public api::Transport {
 public:
    RouterTransport(const api::Router& router, TenantId tenant)
        : router_(router), call_(Call::system("test", Deadline::never())) {
        call_.tenant = std::move(tenant);
    }

    Result<api::ClientResponse> send(
        api::Verb method, const std::string& target, std::string_view content_type,
        const std::string& body
    ) override {
        const auto question = target.find('?');
        const auto path = target.substr(0, question);
        const auto query = question == target.npos ? std::string{} : target.substr(question + 1);
        const auto match = router_.find(api::verb_name(method), path);
        if (!match.route) return Problem{Kind::not_found, "test.no_route", target};
        api::RequestParts parts;
        parts.path = match.path_parameters;
        parts.query = api::parse_parameters(query).value();
        parts.media_type = content_type;
        parts.body = body;
        auto outcome = match.route->handle(call_, parts);
        auto& reply = std::get<api::Reply>(outcome);
        return api::ClientResponse{reply.status, reply.body};
    }

 private:
    const api::Router& router_;
    Call call_;
};

class TemplateTest : public ::testing::Test {
 protected:
    TemplateTest() {
        module.mount(router);
        database->prepare_all(module.manifest().queries);
    }

    RouterTransport as(const TenantId& caller) { return {router, caller}; }

    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{
        clock, {{"outbox", outbox::kMigrations}, {"template-service", kMigrations}}};
    api::ParkingLot parking;
    wakeups::Board wakeups;
    TaskBook tasks{database.metrics(), clock};
    api::Router router;
    TemplateModule module{
        Platform{clock, random, database.metrics(), parking, tasks, wakeups}, *database};
    TenantId tenant = TenantId::make(clock.now(), random);
    TenantId stranger = TenantId::make(clock.now(), random);
};

TEST_F(TemplateTest, a_note_is_made_read_and_listed_in_its_tenant_only) {
    auto ours = as(tenant);
    auto theirs = as(stranger);
    const auto note = api::call(ours, kCreateNote, {{"hello"}}).value();
    EXPECT_EQ(api::call(ours, kGetNote, {note.id}).value().text, "hello");
    EXPECT_EQ(api::call(theirs, kGetNote, {note.id}).error().code, "_template.note_not_found");
    EXPECT_EQ(api::call(ours, kListNotes, {}).value().items.size(), 1U);
    EXPECT_TRUE(api::call(theirs, kListNotes, {}).value().items.empty());
}

TEST_F(TemplateTest, a_list_goes_on_where_its_cursor_says) {
    auto ours = as(tenant);
    for (int i = 0; i < 5; ++i) {
        clock.advance(std::chrono::milliseconds{1});
        api::call(ours, kCreateNote, {{std::to_string(i)}}).value();
    }
    ListNotes wish;
    wish.limit.value.value = 2;
    std::string texts;
    for (int i = 0; i < 3; ++i) {
        const auto page = api::call(ours, kListNotes, wish).value();
        for (const auto& note : page.items) texts += note.text;
        if (page.next_cursor) wish.cursor = api::Cursor{*page.next_cursor};
    }
    EXPECT_EQ(texts, "01234");
}

TEST_F(TemplateTest, the_reference_says_what_every_member_is) {
    constexpr std::array kTags{api::OpenApiTag{"_template", "Notes."}};
    const auto document =
        boost::json::parse(api::openapi_document(router, {"1", "https://x", kTags}));
    for (const auto& [name, schema] : document.at("components").at("schemas").as_object())
        for (const auto& [member, property] : schema.at("properties").as_object())
            EXPECT_TRUE(property.as_object().contains("description")) << name << "." << member;
}

TEST_F(TemplateTest, a_note_without_text_is_refused_by_the_member_s_name) {
    auto ours = as(tenant);
    const auto refused = api::call(ours, kCreateNote, {{""}}).error();
    EXPECT_EQ(refused.kind, Kind::invalid);
    ASSERT_EQ(refused.errors.size(), 1U);
    EXPECT_EQ(refused.errors[0].pointer, "/text");
}

}  // namespace
}  // namespace synapsex::_template

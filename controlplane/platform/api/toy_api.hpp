#pragma once

// The contract of a service that only tests have: every kind of member, every kind of body.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/platform/api/codec.hpp"
#include "controlplane/platform/api/operation.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/describe.hpp"
#include "shared/base/ids.hpp"
#include "shared/base/json_value.hpp"
#include "shared/base/time.hpp"

namespace synapsex::api::toy {

enum class Color { red, green, operator_ };
BOOST_DESCRIBE_ENUM(Color, red, green, operator_)

struct Size {
    Int<1, 100> width_mm;
    std::optional<Int<1, 100>> height_mm;
};
BOOST_DESCRIBE_STRUCT(Size, (), (width_mm, height_mm))

struct Widget {
    VmId id;
    std::string name;
    Color color = Color::red;
    Size size;
    std::vector<Size> others;
    std::optional<std::string> note;
    std::map<std::string, std::int64_t> counts;
    JsonObject config;
    double weight = 0;
    std::uint64_t serial = 0;
    bool is_sold = false;
    Timestamp made_at{};
};
BOOST_DESCRIBE_STRUCT(
    Widget,
    (),
    (id, name, color, size, others, note, counts, config, weight, serial, is_sold, made_at)
)

struct CreateWidget {
    Name<1, 8> name;
    Default<Color, Color::green> color;
    Size size;
    std::optional<List<Text<1, 4>, 3>> labels;
    std::optional<std::map<std::string, bool>> flags;
    std::optional<JsonValue> config;
    std::optional<double> weight;
    std::optional<std::uint64_t> serial;
    std::optional<std::int8_t> tiny;
    std::optional<Timestamp> made_at;
    std::optional<VmId> vm_id;
    Default<bool, false> is_sold;
};
BOOST_DESCRIBE_STRUCT(
    CreateWidget,
    (),
    (name, color, size, labels, flags, config, weight, serial, tiny, made_at, vm_id, is_sold)
)

struct PatchWidget {
    VmId widget_id;
    Change<Text<1, 8>> name;
    Change<std::string> note;
};
BOOST_DESCRIBE_STRUCT(PatchWidget, (), (widget_id, name, note))

struct ListWidgets {
    Default<Int<1, 100>, 50> limit;
    std::optional<Text<1, 64>> name_prefix;
    List<Color, 3> color;
    Default<bool, false> is_sold;
    std::optional<double> weight_max;
};
BOOST_DESCRIBE_STRUCT(ListWidgets, (), (limit, name_prefix, color, is_sold, weight_max))

struct WidgetPage {
    std::vector<Widget> items;
    std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(WidgetPage, (), (items, next_cursor))

struct WidgetPath {
    VmId widget_id;
};
BOOST_DESCRIBE_STRUCT(WidgetPath, (), (widget_id))

struct Sell {
    VmId widget_id;
    std::optional<Int<0, 1000>> price;
};
BOOST_DESCRIBE_STRUCT(Sell, (), (widget_id, price))

// A standard's names.
struct Grant {
    std::string grant_type;
    std::optional<std::string> scope;
};
BOOST_DESCRIBE_STRUCT(Grant, (), (grant_type, scope))

struct Upload {
    VmId widget_id;
    std::optional<std::string> file_name;
    std::string body;
};
BOOST_DESCRIBE_STRUCT(Upload, (), (widget_id, file_name, body))

// Holds its own kind.
struct Tree {
    std::string name;
    std::vector<Tree> branches;
};
BOOST_DESCRIBE_STRUCT(Tree, (), (name, branches))

struct Beat {
    VmId widget_id;
    std::int64_t sequence = 0;
};
BOOST_DESCRIBE_STRUCT(Beat, (), (widget_id, sequence))

inline constexpr Operation<ListWidgets, WidgetPage> kListWidgets{
    .id = "widgets.list",
    .path = "/v1/widgets",
    .access = auth::signed_in(),
    .summary = "List widgets."};
inline constexpr Operation<CreateWidget, Widget> kCreateWidget{
    .id = "widgets.create",
    .method = Verb::post,
    .path = "/v1/widgets",
    .access = auth::user("vms.read"),
    .success = 201,
    .summary = "Create a widget."};
inline constexpr Operation<WidgetPath, Widget> kGetWidget{
    .id = "widgets.get",
    .path = "/v1/widgets/{widgetId}",
    .access = auth::user("vms.read"),
    .summary = "Read a widget."};
inline constexpr Operation<PatchWidget, Widget> kPatchWidget{
    .id = "widgets.update",
    .method = Verb::patch,
    .path = "/v1/widgets/{widgetId}",
    .access = auth::user("vms.read"),
    .summary = "Change a widget."};
inline constexpr Operation<WidgetPath, None> kRemoveWidget{
    .id = "widgets.remove",
    .method = Verb::delete_,
    .path = "/v1/widgets/{widgetId}",
    .access = auth::user("vms.read"),
    .summary = "Remove a widget."};
inline constexpr Operation<Sell, None> kSellWidget{
    .id = "widgets.sell",
    .method = Verb::post,
    .path = "/v1/sales/{widget_id}",
    .access = auth::without_keys(auth::user("vms.read")),
    .summary = "Sell a widget."};
inline constexpr Operation<Upload, None> kUploadImage{
    .id = "widgets.upload",
    .method = Verb::put,
    .path = "/v1/widgets/{widgetId}/image",
    .access = auth::user("vms.read"),
    .body = BodyKind::bytes,
    .summary = "Give it an image."};
inline constexpr Operation<Beat, Beat> kBeat{
    .id = "widgets.beat",
    .method = Verb::post,
    .path = "/v1/widgets/{widgetId}/beat",
    .access = auth::agent(),
    .body = BodyKind::protobuf,
    .summary = "Report life."};
inline constexpr Operation<Grant, None> kGrant{
    .id = "oauth.token",
    .method = Verb::post,
    .path = "/v1/oauth/token",
    .access = auth::proof(),
    .body = BodyKind::form,
    .unknown = Unknown::ignore,
    .summary = "Exchange a grant."};
inline constexpr Operation<Tree, Tree> kPlant{
    .id = "trees.plant",
    .method = Verb::post,
    .path = "/v1/trees",
    .access = auth::anyone(),
    .summary = "Plant a tree."};

}  // namespace synapsex::api::toy

template <>
inline constexpr synapsex::Names synapsex::kNamesOf<synapsex::api::toy::Grant> = Names::as_written;
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::api::toy::CreateWidget>{
    "A widget to be made.",
    {{{"name", "What people call it.", "\"cog\""}, {"size", "Outer measures."}}}};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::api::toy::ListWidgets>{
    {},
    {{{"limit", "At most so many items.", "20"}, {"name_prefix", "Only names that start so."}}}};

template <>
struct synapsex::api::ProtobufCodec<synapsex::api::toy::Beat> {
    static Result<Done> decode(std::string_view bytes, toy::Beat& beat);
    static void encode(const toy::Beat& beat, std::string& out);
};

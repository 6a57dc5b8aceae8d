#include "controlplane/cli/listing.hpp"

#include <boost/json.hpp>

#include "controlplane/cli/units.hpp"

namespace synapsex::cli {

namespace {

namespace json = boost::json;

json::array& items_of(json::value& document) {
    return document.is_array() ? document.get_array() : document.at("items").as_array();
}

}  // namespace

std::string join_pages(const std::vector<std::string>& documents) {
    if (documents.empty()) return {};
    if (documents.size() == 1) return documents.front();
    // Each was read by its codec already, so each is of the right form.
    auto joined = json::parse(documents.front());
    for (std::size_t i = 1; i < documents.size(); ++i) {
        auto page = json::parse(documents[i]);
        auto& items = items_of(joined);
        for (auto& item : items_of(page)) items.push_back(std::move(item));
        if (joined.is_object()) joined.get_object()["nextCursor"] = page.at("nextCursor");
    }
    return json::serialize(joined);
}

void note_if_cut(Context& context, std::size_t shown, bool has_more) {
    if (has_more)
        context.note(
            "Only the first {} are shown; see more with --limit.",
            {format_count(static_cast<std::int64_t>(shown))}
        );
}

}  // namespace synapsex::cli

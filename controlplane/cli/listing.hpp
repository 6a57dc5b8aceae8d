#pragma once

// Lists come in pages; a command wants them whole, up to a limit. Keeps the documents too, so that
// --json shows what the API said and not what this version understood of it.

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "controlplane/cli/answer.hpp"
#include "controlplane/cli/context.hpp"
#include "controlplane/platform/api/page.hpp"

namespace synapsex::cli {

inline constexpr std::int64_t kListLimit = 1000;

template <class Item>
struct Listing {
    std::vector<Item> items;
    std::vector<std::string> documents;  // one for each page
    bool has_more = false;               // the limit cut it
};

// One document: the pages' items in one list, `nextCursor` of the last. A single page stays as it
// came, byte for byte.
std::string join_pages(const std::vector<std::string>& documents);

// Says so on standard error if the limit cut the list.
void note_if_cut(Context& context, std::size_t shown, bool has_more);

namespace detail {

template <class Page>
auto& items_of(Page& page) {
    if constexpr (requires { page.items; })
        return page.items;
    else
        return page;  // a bare array
}

template <class Page>
std::optional<std::string> next_cursor(const Page& page, const net::HttpResponse* answer) {
    if constexpr (requires { page.next_cursor; })
        return page.next_cursor;
    else
        return answer == nullptr ? std::nullopt : next_cursor_of(*answer);
}

}  // namespace detail

// Follows the cursors until the end, or until there are `limit` items.
template <class Request, class Page>
auto list_up_to(
    Context& context,
    const api::Operation<Request, Page>& operation,
    Request request,
    std::int64_t limit
) {
    using Item = typename std::remove_cvref_t<decltype(detail::items_of(std::declval<Page&>()))>::
        value_type;
    constexpr auto kPageMax = decltype(request.limit.value)::kMax;
    Listing<Item> listing;
    auto left = limit;
    do {
        request.limit.value.value = std::min<std::int64_t>(left, kPageMax);
        auto page = context.call(operation, request);
        if (!page) return Result<Listing<Item>>{std::move(page).error()};
        auto& items = detail::items_of(*page);
        left -= static_cast<std::int64_t>(items.size());
        const auto next = detail::next_cursor(*page, context.last_answer());
        listing.documents.push_back(context.last_answer()->body);
        std::ranges::move(items, std::back_inserter(listing.items));
        listing.has_more = next.has_value();
        if (next) request.cursor = api::Cursor{*next};
    } while (listing.has_more && left > 0);
    return Result<Listing<Item>>{std::move(listing)};
}

// Prints the list as JSON, or as the table that `row` fills, or `nothing` where it is empty.
template <class Item, class Row>
void print_listing(
    Context& context,
    const Listing<Item>& listing,
    Table table,
    std::string_view nothing,
    Row row
) {
    if (context.wants_json()) {
        context.print_json(join_pages(listing.documents));
    } else if (listing.items.empty()) {
        context.note(nothing);
    } else {
        for (const auto& item : listing.items) table.add(row(item));
        context.print(table);
    }
    note_if_cut(context, listing.items.size(), listing.has_more);
}

}  // namespace synapsex::cli

// The reader of JSON: any text ends in a document or a problem, and a document's own parts are
// where it says they are.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "controlplane/platform/api/json_document.hpp"

using namespace synapsex;

namespace {

void expect(bool is_so) {
    if (!is_so) std::abort();
}

// Every node has its parent, and as many children as it says.
std::size_t check(const api::JsonDocument& document, const api::JsonNode& node, std::size_t depth) {
    expect(depth <= api::kJsonDepthMax);
    std::size_t nodes = 1;
    std::uint32_t children = 0;
    for (const auto* child = document.first_child(node); child; child = document.next(*child)) {
        ++children;
        nodes += check(document, *child, depth + 1);
    }
    expect(children == node.children);
    const auto pointer = document.pointer_of(node);
    expect(pointer.empty() == (&node == &document.root()));
    return nodes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto document = api::JsonDocument::parse(text);
    if (!document) {
        expect(document.error().code == "request.malformed");
        return 0;
    }
    expect(check(*document, document->root(), 0) <= api::kJsonNodesMax);
    api::FieldProblems problems;
    document->report_flaws(problems);
    return 0;
}

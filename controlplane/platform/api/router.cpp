#include "controlplane/platform/api/router.hpp"

#include <array>
#include <stdexcept>

#include "controlplane/platform/api/parameters.hpp"
#include "shared/base/describe.hpp"
#include "shared/base/time.hpp"

namespace synapsex::api {

namespace {

struct VerbName {
    Verb verb;
    std::string_view name;
};
constexpr std::array kVerbs{
    VerbName{Verb::get, "GET"},
    VerbName{Verb::post, "POST"},
    VerbName{Verb::put, "PUT"},
    VerbName{Verb::patch, "PATCH"},
    VerbName{Verb::delete_, "DELETE"},
};

std::optional<Verb> parse_verb(std::string_view method) {
    if (method == "HEAD") return Verb::get;
    for (const auto& [verb, name] : kVerbs)
        if (name == method) return verb;
    return std::nullopt;
}

bool is_parameter(std::string_view segment) {
    return segment.starts_with('{');
}

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    while (path.starts_with('/')) {
        path.remove_prefix(1);
        const auto end = std::min(path.find('/'), path.size());
        segments.push_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return segments;
}

// nullopt for what is no path of ours: no leading "/", an empty or dot segment ("//", a trailing
// "/", "%2e%2e"), a broken escape, an encoded NUL. None of them is normalised: two spellings of one
// resource are how access rules are passed by. An encoded slash is data within its segment.
std::optional<std::vector<std::string>> decode_segments(std::string_view path) {
    constexpr std::size_t kSegmentsMax = 16;
    if (!path.starts_with('/')) return std::nullopt;
    std::vector<std::string> decoded;
    for (const auto segment : split(path)) {
        auto text = percent_decode(segment);
        const bool is_good = text && !text->empty() && *text != "." && *text != "..";
        if (!is_good || decoded.size() == kSegmentsMax) return std::nullopt;
        decoded.push_back(*std::move(text));
    }
    return decoded;
}

[[noreturn]] void fail(const OperationInfo& operation, std::string_view what) {
    throw std::logic_error(
        "operation " + std::string{operation.id} + " (" + std::string{operation.path} +
        "): " + std::string{what}
    );
}

void check_segment(const OperationInfo& operation, std::string_view segment) {
    if (segment.empty()) fail(operation, "the path has an empty segment");
    const auto braces = segment.find_first_of("{}");
    if (braces == std::string_view::npos) return;
    const bool is_whole = segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
    if (!is_whole || segment.find_first_of("{}", 1) != segment.size() - 1)
        fail(operation, "a parameter is a whole segment, \"{name}\"");
}

void check_deprecation(const OperationInfo& operation) {
    const auto& [since, sunset, successor] = operation.deprecation;
    const auto is_instant = [](std::string_view text) {
        return text.empty() || parse_rfc3339(text).has_value();
    };
    if (!is_instant(since) || !is_instant(sunset))
        fail(operation, "an instant of its deprecation is none of RFC 3339");
    if (since.empty() && !(sunset.empty() && successor.empty()))
        fail(operation, "what ends or has a successor is deprecated");
}

}  // namespace

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::string parameter_name;
    std::array<const Route*, kVerbs.size()> routes{};

    bool has_routes() const {
        for (const auto* route : routes)
            if (route) return true;
        return false;
    }
    const Route*& at(Verb verb) { return routes[static_cast<std::size_t>(verb)]; }

    // The node of the path from `first` on. A literal segment wins over a parameter, and where it
    // leads nowhere the parameter is tried. Values of parameters go to `values`.
    const Node* find(
        const std::vector<std::string>& segments, std::size_t first, Parameters& values
    ) const {
        if (first == segments.size()) return has_routes() ? this : nullptr;
        if (const auto found = literals.find(segments[first]); found != literals.end())
            if (const auto* node = found->second->find(segments, first + 1, values)) return node;
        if (!parameter) return nullptr;
        values.emplace_back(parameter_name, segments[first]);
        if (const auto* node = parameter->find(segments, first + 1, values)) return node;
        values.pop_back();
        return nullptr;
    }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::mount_raw(
    const OperationInfo& operation, std::function<Outcome(const Call&, const RequestParts&)> handle
) {
    auto route = std::make_unique<Route>();
    route->operation = operation;
    route->handle = std::move(handle);
    add(std::move(route));
}

void Router::add(std::unique_ptr<Route> route) {
    const auto& operation = route->operation;
    for (const auto& other : routes_)
        if (other->operation.id == operation.id) fail(operation, "the id is taken");
    if (!operation.path.starts_with('/')) fail(operation, "a path starts with \"/\"");
    check_deprecation(operation);
    Node* node = root_.get();
    for (const auto segment : split(operation.path)) {
        check_segment(operation, segment);
        if (!is_parameter(segment)) {
            auto& next = node->literals[std::string{segment}];
            if (!next) next = std::make_unique<Node>();
            node = next.get();
            continue;
        }
        const auto name = segment.substr(1, segment.size() - 2);
        if (!node->parameter) {
            node->parameter = std::make_unique<Node>();
            node->parameter_name = name;
        }
        // Also what OpenAPI asks for: "/a/{x}" and "/a/{y}" are one path.
        if (node->parameter_name != name)
            fail(operation, "another operation calls the parameter " + node->parameter_name);
        node = node->parameter.get();
    }
    auto& slot = node->at(operation.method);
    if (slot) fail(operation, "method and path are taken by " + std::string{slot->operation.id});
    slot = route.get();
    routes_.push_back(std::move(route));
}

Match Router::find(std::string_view method, std::string_view path) const {
    Match match;
    const auto segments = decode_segments(path);
    if (!segments) return match;
    const auto* node = root_->find(*segments, 0, match.path_parameters);
    if (!node) return match;
    if (const auto verb = parse_verb(method))
        match.route = node->routes[static_cast<std::size_t>(*verb)];
    if (match.route) return match;
    match.path_parameters.clear();
    for (const auto& [verb, name] : kVerbs)
        if (node->routes[static_cast<std::size_t>(verb)]) match.allowed.push_back(verb);
    return match;
}

std::string_view verb_name(Verb verb) {
    return kVerbs[static_cast<std::size_t>(verb)].name;
}

bool answers_protobuf(const OperationInfo& operation, const RequestParts& parts) {
    return operation.body == BodyKind::protobuf && parts.media_type == "application/x-protobuf";
}

}  // namespace synapsex::api

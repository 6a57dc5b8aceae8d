#include "controlplane/platform/api/openapi.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <vector>

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/api/openapi_problems.hpp"
#include "controlplane/platform/api/problem_document.hpp"
#include "controlplane/platform/api/schema.hpp"

namespace synapsex::api {

namespace {

using Paths = std::map<std::string, std::map<Verb, std::string>>;

Paths describe_routes(const Router& router, SchemaComponents& components) {
    // Sorted, so that schemas are added in one order, too.
    std::vector<const Route*> routes;
    for (const auto& route : router.routes())
        if (route->describe) routes.push_back(route.get());
    std::sort(routes.begin(), routes.end(), [](const Route* a, const Route* b) {
        return a->operation.id < b->operation.id;
    });
    Paths paths;
    for (const auto* route : routes) {
        const auto& operation = route->operation;
        paths[std::string{operation.path}][operation.method] = route->describe(components);
    }
    return paths;
}

std::string paths_text(const Paths& paths) {
    JsonObjectText out;
    for (const auto& [path, operations] : paths) {
        JsonObjectText item;
        for (const auto& [verb, text] : operations) {
            std::string method{verb_name(verb)};
            std::transform(method.begin(), method.end(), method.begin(), [](char c) {
                return static_cast<char>(c - 'A' + 'a');
            });
            item.add(method, text);
        }
        out.add(path, item.finish());
    }
    return out.finish();
}

std::string info_text(const OpenApiInfo& info) {
    const auto contact = JsonObjectText{}
                             .add_text("name", "SynapseX")
                             .add_text("url", "https://docs.synapsex.ai")
                             .add_text("email", "support@synapsex.ai")
                             .finish();
    const auto license = JsonObjectText{}
                             .add_text("name", "Apache License 2.0")
                             .add_text("identifier", "Apache-2.0")
                             .finish();
    return JsonObjectText{}
        .add_text("title", "SynapseX API")
        .add_text("version", info.version)
        .add_text("summary", "Runs fleets of virtual machines.")
        .add_text(
            "description",
            "One API for agents, VMs and those who run them. Keys are camelCase, but for names "
            "that OAuth or known clients fix (tags and operations say which); instants are RFC "
            "3339 in UTC, ids carry their type (`vm_…`). Every failure is an "
            "`application/problem+json` document whose `code` is stable; every answer carries "
            "`X-Request-Id`. Another tenant's things are not found."
        )
        .add("contact", contact)
        .add("license", license)
        .finish();
}

std::string tags_text(const Router& router, std::span<const OpenApiTag> table) {
    for (const auto& route : router.routes()) {
        if (!route->describe) continue;
        const auto tag = tag_of(route->operation.id);
        const bool is_known = std::any_of(table.begin(), table.end(), [&](const auto& known) {
            return known.name == tag;
        });
        if (!is_known)
            throw std::logic_error(
                "no OpenApiTag for the operation " + std::string{route->operation.id}
            );
    }
    std::string out;
    for (const auto& tag : table) {
        const bool is_used =
            std::any_of(router.routes().begin(), router.routes().end(), [&](const auto& route) {
                return route->describe && tag_of(route->operation.id) == tag.name;
            });
        if (!is_used) continue;
        out += (out.empty() ? "" : ",") + JsonObjectText{}
                                              .add_text("name", tag.name)
                                              .add_text("description", tag.description)
                                              .finish();
    }
    return "[" + out + "]";
}

std::string security_schemes_text() {
    const auto bearer = [](std::string_view description) {
        return JsonObjectText{}
            .add_text("type", "http")
            .add_text("scheme", "bearer")
            .add_text("description", description)
            .finish();
    };
    const auto api_key = JsonObjectText{}
                             .add_text("type", "apiKey")
                             .add_text("in", "header")
                             .add_text("name", "X-API-Key")
                             .add_text("description", "An API key, `sk_sx_…`.")
                             .finish();
    return JsonObjectText{}
        .add("bearer", bearer("An access token from login, or an API key."))
        .add("apiKey", api_key)
        .add("userToken", bearer("An access token from login; an API key is refused (403)."))
        .add("agentToken", bearer("The access token that an agent gets for its key."))
        .finish();
}

std::string tenant_header_text() {
    return JsonObjectText{}
        .add_text("name", "X-Tenant-Id")
        .add_text("in", "header")
        .add(
            "description",
            quoted("Id or slug of the tenant to act in, one of the caller's; the default tenant "
                   "if it is left out.")
        )
        .add("schema", R"({"type":"string","minLength":1,"maxLength":63})")
        .add_text("example", "acme")
        .finish();
}

std::string key_header_text() {
    return JsonObjectText{}
        .add_text("name", "Idempotency-Key")
        .add_text("in", "header")
        .add_text(
            "description",
            "Makes it safe to send the request again when its answer was lost. Sent again with the "
            "same key within 24 h, the same request gets the first one's answer and changes "
            "nothing. Keys are the caller's own; take a new UUID for each thing to be done."
        )
        .add("schema", R"({"type":"string","minLength":1,"maxLength":255})")
        .add_text("example", "1d2f0f5e-7c39-4a3c-9d0e-2f4f2a1c9b11")
        .finish();
}

std::string next_page_header_text() {
    return JsonObjectText{}
        .add_text(
            "description",
            "On all pages but the last: where the next one is (RFC 8288), as "
            "`</v1/vms?limit=50&cursor=…>; rel=\"next\"`."
        )
        .add("schema", R"({"type":"string"})")
        .finish();
}

std::string replayed_header_text() {
    return JsonObjectText{}
        .add_text("description", "`true` if this is the stored answer to an earlier request.")
        .add("schema", R"({"type":"string","const":"true"})")
        .finish();
}

std::string problem_responses_text(std::string_view paths, std::string_view schema) {
    JsonObjectText out;
    const auto media = JsonObjectText{}.add("schema", schema).finish();
    const auto content = JsonObjectText{}.add("application/problem+json", media).finish();
    for (const auto& problem : kProblems) {
        const auto reference = "#/components/responses/" + std::string{problem.name} + "\"";
        if (paths.find(reference) == std::string_view::npos) continue;
        out.add(
            problem.name,
            JsonObjectText{}
                .add_text("description", problem.description)
                .add("content", content)
                .finish()
        );
    }
    return out.finish();
}

std::string components_text(std::string_view paths, SchemaComponents& components) {
    const auto problem = Codec<ProblemDocument>::add_schema(components);
    JsonObjectText schemas;
    for (const auto& [name, text] : components.schemas()) schemas.add(name, text);
    JsonObjectText out;
    out.add("schemas", schemas.finish());
    out.add("responses", problem_responses_text(paths, problem));
    const auto is_used = [&](std::string_view name) {
        return paths.find("#/components/" + std::string{name} + '"') != std::string_view::npos;
    };
    JsonObjectText parameters;
    if (is_used("parameters/TenantHeader")) parameters.add("TenantHeader", tenant_header_text());
    if (is_used("parameters/IdempotencyKey")) parameters.add("IdempotencyKey", key_header_text());
    out.add("parameters", parameters.finish());
    JsonObjectText headers;
    if (is_used("headers/IdempotentReplayed"))
        headers.add("IdempotentReplayed", replayed_header_text());
    if (is_used("headers/NextPage")) headers.add("NextPage", next_page_header_text());
    out.add("headers", headers.finish());
    out.add("securitySchemes", security_schemes_text());
    return out.finish();
}

}  // namespace

std::string openapi_document(const Router& router, const OpenApiInfo& info) {
    SchemaComponents survey;
    describe_routes(router, survey);
    SchemaComponents components{survey};
    const auto paths = paths_text(describe_routes(router, components));
    const auto server = JsonObjectText{}.add_text("url", info.server_url).finish();
    return pretty_json(JsonObjectText{}
                           .add_text("openapi", "3.1.0")
                           .add("info", info_text(info))
                           .add("servers", "[" + server + "]")
                           .add("tags", tags_text(router, info.tags))
                           .add("paths", paths)
                           .add("components", components_text(paths, components))
                           .finish());
}

std::string pretty_json(std::string_view json) {
    std::string out;
    std::size_t depth = 0;
    bool is_in_string = false;
    const auto break_line = [&] { out += '\n' + std::string(2 * depth, ' '); };
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (is_in_string) {
            out += c;
            if (c == '\\') out += json[++i];
            is_in_string = c != '"';
            continue;
        }
        switch (c) {
            case '"':
                is_in_string = true;
                out += c;
                break;
            case '{':
            case '[':
                out += c;
                if (i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']')) {
                    out += json[++i];
                } else {
                    ++depth;
                    break_line();
                }
                break;
            case '}':
            case ']':
                --depth;
                break_line();
                out += c;
                break;
            case ',':
                out += c;
                break_line();
                break;
            case ':':
                out += ": ";
                break;
            default:
                out += c;
        }
    }
    return out + "\n";
}

}  // namespace synapsex::api

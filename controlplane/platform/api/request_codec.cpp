#include "controlplane/platform/api/request_codec.hpp"

#include <stdexcept>

#include "controlplane/platform/api/json_reader.hpp"
#include "controlplane/platform/api/json_writer.hpp"
#include "controlplane/platform/api/parameters.hpp"
#include "controlplane/platform/api/scalar.hpp"

namespace synapsex::api {

namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMergePatch = "application/merge-patch+json";
constexpr std::string_view kForm = "application/x-www-form-urlencoded";
constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kBytes = "application/octet-stream";
// BodyKind::bytes hands the body to this member.
constexpr std::string_view kBodyMember = "body";

constexpr std::uint64_t bit(std::size_t index) { return std::uint64_t{1} << index; }
bool has(std::uint64_t mask, std::size_t index) { return (mask & bit(index)) != 0; }

const ObjectShape& as_object(const Shape& shape) {
    if (shape.kind != ShapeKind::object) throw std::logic_error("a request is a described struct");
    return static_cast<const ObjectShape&>(shape);
}

bool may_have_body(const OperationInfo& operation) {
    return operation.method != Verb::get && operation.method != Verb::delete_;
}

// Past optional, Default and Change.
const Shape& bare(const Shape& shape) {
    switch (shape.kind) {
        case ShapeKind::optional: return bare(*static_cast<const OptionalShape&>(shape).inner);
        case ShapeKind::defaulted: return bare(*static_cast<const DefaultedShape&>(shape).inner);
        case ShapeKind::change: return bare(*static_cast<const ChangeShape&>(shape).inner);
        default: return shape;
    }
}

bool is_scalar(const Shape& shape) {
    return shape.kind != ShapeKind::list && shape.kind != ShapeKind::map &&
           shape.kind != ShapeKind::object && shape.kind != ShapeKind::json;
}

bool fits_parameter(const Shape& shape) {
    const auto& inner = bare(shape);
    if (inner.kind != ShapeKind::list) return is_scalar(inner);
    return is_scalar(*static_cast<const ListShape&>(inner).inner);
}

// --- reading ----------------------------------------------------------------------------------

// Reads members from decoded names and values: a query, a form, or the path.
class ParameterReader {
 public:
    // `prefix` stands before a name in pointers: "/" for a form, nothing for parameters.
    ParameterReader(std::string_view prefix, FieldProblems& problems)
        : prefix_(prefix), problems_(problems) {}

    void read(const Parameters& given, const Member& member, std::string_view name, void* object) {
        void* target = member.in(object);
        const auto* first = find(given, name, 0);
        if (bare(*member.shape).kind == ShapeKind::list) {
            if (first) read_list(given, name, *member.shape, target);
            return;
        }
        if (!first) {
            const bool is_required = member.shape->kind != ShapeKind::optional &&
                                     member.shape->kind != ShapeKind::defaulted &&
                                     member.shape->kind != ShapeKind::change;
            if (is_required) report(name, {"required", "is required"});
            return;
        }
        if (find(given, name, static_cast<std::size_t>(first - given.data()) + 1))
            return report(name, {"duplicate_parameter", "stands more than once"});
        read_one(name, first->second, *member.shape, target);
    }
    void report(std::string_view name, Flaw flaw) {
        std::string pointer;
        if (prefix_.empty()) pointer = name;
        else append_pointer(pointer, name);
        problems_.add(std::move(pointer), std::move(flaw));
    }

 private:
    using Parameter = Parameters::value_type;

    static const Parameter* find(const Parameters& given, std::string_view name, std::size_t from) {
        for (std::size_t i = from; i < given.size(); ++i)
            if (given[i].first == name) return &given[i];
        return nullptr;
    }
    // The innermost place that the text goes to, made present on the way.
    static std::pair<const Shape*, void*> enter(const Shape& shape, void* target) {
        switch (shape.kind) {
            case ShapeKind::optional: {
                const auto& optional = static_cast<const OptionalShape&>(shape);
                return enter(*optional.inner, optional.emplace(target));
            }
            case ShapeKind::change: {
                const auto& change = static_cast<const ChangeShape&>(shape);
                return enter(*change.inner, change.set(target));
            }
            case ShapeKind::defaulted:
                return enter(*static_cast<const DefaultedShape&>(shape).inner, target);
            default: return {&shape, target};
        }
    }
    void read_one(std::string_view name, std::string_view text, const Shape& shape, void* target) {
        const auto [inner, place] = enter(shape, target);
        if (auto flaw = store_text(*inner, text, place)) report(name, *std::move(flaw));
    }
    void read_list(
        const Parameters& given, std::string_view name, const Shape& shape, void* target
    ) {
        const auto [inner, place] = enter(shape, target);
        const auto& list = static_cast<const ListShape&>(*inner);
        for (const auto& [key, text] : given) {
            if (key != name) continue;
            if (list.size(place) == list.size_max) {
                const auto max = std::to_string(list.size_max);
                return report(name, {"too_many_items", "may stand at most " + max + " times"});
            }
            read_one(name, text, *list.inner, list.append(place));
        }
    }

    std::string_view prefix_;
    FieldProblems& problems_;
};

// What is read, into what, and what was wrong so far.
struct Reading {
    const OperationInfo& operation;
    const RequestParts& parts;
    const ObjectShape& request;
    void* target;
    MemberSources sources;
    FieldProblems problems{};
};

void read_path_members(Reading& reading) {
    ParameterReader reader{"", reading.problems};
    for_each_path_parameter(reading.operation.path, [&](std::string_view name) {
        for (const auto& member : reading.request.members)
            if (member.is_called(name)) return reader.read(reading.parts.path, member, name, reading.target);
    });
}

// The members in `mask` from names and values; names that none of them has are unknown.
void read_parameters(
    Reading& reading, const Parameters& given, std::uint64_t mask, ParameterReader reader
) {
    const auto members = reading.request.members;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (has(mask, i)) reader.read(given, members[i], members[i].wire_name, reading.target);
    if (reading.operation.unknown == Unknown::ignore) return;
    for (const auto& [name, value] : given) {
        bool is_known = false;
        for (std::size_t i = 0; i < members.size(); ++i)
            is_known = is_known || (has(mask, i) && members[i].wire_name == name);
        if (!is_known) reader.report(name, {"unknown_parameter", "is not known here"});
    }
}

bool is_body_required(const Reading& reading) {
    const auto members = reading.request.members;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (has(reading.sources.body, i) && !may_be_absent(*members[i].shape)) return true;
    return false;
}

std::optional<Problem> read_json_body(Reading& reading) {
    auto document = JsonDocument::parse(reading.parts.body);
    if (!document) return std::move(document).error();
    document->report_flaws(reading.problems);
    JsonReader reader{*document, reading.operation.unknown, reading.problems};
    reader.read_object(
        document->root(), reading.request, reading.target, ~reading.sources.body
    );
    return std::nullopt;
}

std::optional<Problem> read_form_body(Reading& reading) {
    auto form = parse_parameters(reading.parts.body);
    if (!form) return std::move(form).error();
    read_parameters(reading, *form, reading.sources.body, ParameterReader{"/", reading.problems});
    return std::nullopt;
}

Problem unsupported_media(const OperationInfo& operation, std::string_view given) {
    std::string accepted{media_type_of(operation)};
    if (operation.body == BodyKind::protobuf) accepted += ", application/json";
    if (operation.method == Verb::patch) accepted += ", application/merge-patch+json";
    Problem problem{
        .kind = Kind::unsupported_media,
        .code = "request.unsupported_media_type",
        .detail = "The body must be " + accepted + "; " +
                  (given.empty() ? "it has no Content-Type." : "it is " + std::string{given} + "."),
    };
    problem.headers.emplace_back("Accept", std::move(accepted));
    return problem;
}

bool is_supported(const OperationInfo& operation, std::string_view media_type) {
    if (operation.body == BodyKind::form) return media_type == kForm;
    if (media_type == kMergePatch) return operation.method == Verb::patch;
    return media_type == kJson;
}

std::optional<Problem> read_body(Reading& reading) {
    const auto& [operation, parts, request, target, sources, problems] = reading;
    if (operation.body == BodyKind::bytes && may_have_body(operation)) {
        for (const auto& member : request.members)
            if (member.cpp_name == kBodyMember)
                static_cast<std::string*>(member.in(target))->assign(parts.body);
        return std::nullopt;
    }
    if (parts.body.empty()) {
        if (is_body_required(reading))
            reading.problems.add("", {"body_required", "a body is required"});
        return std::nullopt;
    }
    if (!may_have_body(operation))
        return Problem{
            .kind = Kind::invalid,
            .code = "request.body_not_allowed",
            .detail = "This operation takes no body; it is steered by path and query alone."
        };
    if (!is_supported(operation, parts.media_type))
        return unsupported_media(operation, parts.media_type);
    return operation.body == BodyKind::form ? read_form_body(reading) : read_json_body(reading);
}

Result<Done> finish(Reading& reading) {
    if (!reading.problems.empty()) return std::move(reading.problems).into_problem();
    return Done{};
}

// --- writing ----------------------------------------------------------------------------------

// nullptr: absent.
std::pair<const Shape*, const void*> unwrap(const Shape& shape, const void* value) {
    if (value == nullptr) return {&shape, nullptr};
    switch (shape.kind) {
        case ShapeKind::optional: {
            const auto& optional = static_cast<const OptionalShape&>(shape);
            return unwrap(*optional.inner, optional.get(value));
        }
        case ShapeKind::change: {
            const auto& change = static_cast<const ChangeShape&>(shape);
            return unwrap(*change.inner, change.get(value));
        }
        case ShapeKind::defaulted:
            return unwrap(*static_cast<const DefaultedShape&>(shape).inner, value);
        default: return {&shape, value};
    }
}

std::string encoded_text(const Shape& shape, const void* value) {
    switch (shape.kind) {
        case ShapeKind::text: return percent_encode(*static_cast<const std::string*>(value));
        case ShapeKind::id: return percent_encode(static_cast<const IdShape&>(shape).load(value));
        case ShapeKind::enumeration:
            return percent_encode(static_cast<const EnumerationShape&>(shape).load(value));
        default: break;
    }
    std::string text;
    append_value(text, shape, value, Absent::left_out);
    if (text.starts_with('"')) text = text.substr(1, text.size() - 2);  // an instant
    return percent_encode(text);
}

void append_parameter(std::string& out, std::string_view name, std::string_view encoded) {
    if (!out.empty()) out += '&';
    out += percent_encode(name);
    out += '=';
    out += encoded;
}

std::string write_parameters(const ObjectShape& request, const void* object, std::uint64_t mask) {
    std::string out;
    for (std::size_t i = 0; i < request.members.size(); ++i) {
        if (!has(mask, i)) continue;
        const auto& member = request.members[i];
        const auto [shape, value] = unwrap(*member.shape, member.in(object));
        if (value == nullptr) continue;
        if (shape->kind != ShapeKind::list) {
            append_parameter(out, member.wire_name, encoded_text(*shape, value));
            continue;
        }
        const auto& list = static_cast<const ListShape&>(*shape);
        for (std::size_t item = 0; item < list.size(value); ++item)
            append_parameter(
                out, member.wire_name, encoded_text(*list.inner, list.at(value, item))
            );
    }
    return out;
}

std::string write_path(
    const OperationInfo& operation, const ObjectShape& request, const void* object
) {
    std::string target{operation.path};
    for_each_path_parameter(operation.path, [&](std::string_view name) {
        for (const auto& member : request.members) {
            if (!member.is_called(name)) continue;
            const auto [shape, value] = unwrap(*member.shape, member.in(object));
            const auto hole = "{" + std::string{name} + "}";
            target.replace(
                target.find(hole), hole.size(), value ? encoded_text(*shape, value) : ""
            );
            return;
        }
    });
    return target;
}

}  // namespace

MemberSources member_sources(const OperationInfo& operation, const ObjectShape& request) {
    MemberSources sources;
    for_each_path_parameter(operation.path, [&](std::string_view name) {
        for (std::size_t i = 0; i < request.members.size(); ++i)
            if (request.members[i].is_called(name)) sources.path |= bit(i);
    });
    for (std::size_t i = 0; i < request.members.size(); ++i) {
        if (has(sources.path, i)) continue;
        const bool is_bytes = operation.body == BodyKind::bytes;
        const bool is_in_body = may_have_body(operation) &&
                                (!is_bytes || request.members[i].cpp_name == kBodyMember);
        (is_in_body ? sources.body : sources.query) |= bit(i);
    }
    return sources;
}

void check_request(const OperationInfo& operation, const Shape& shape) {
    const auto fail = [&](std::string_view what, std::string_view name) {
        throw std::logic_error(
            std::string{operation.id} + ": " + std::string{what} + " " + std::string{name}
        );
    };
    const auto& request = as_object(shape);
    if (request.members.size() > 64) fail("has more than 64 members:", operation.path);
    for_each_path_parameter(operation.path, [&](std::string_view name) {
        for (const auto& member : request.members)
            if (member.is_called(name)) return;
        fail("no member of the request is called", name);
    });
    const auto sources = member_sources(operation, request);
    bool has_body_member = false;
    for (std::size_t i = 0; i < request.members.size(); ++i) {
        const auto& member = request.members[i];
        const bool is_form = operation.body == BodyKind::form && has(sources.body, i);
        if (has(sources.path, i) && !is_scalar(bare(*member.shape)))
            fail("a path cannot hold", member.cpp_name);
        if ((has(sources.query, i) || is_form) && !fits_parameter(*member.shape))
            fail("a query or form cannot hold", member.cpp_name);
        has_body_member = has_body_member || (member.cpp_name == kBodyMember &&
                                              member.shape->kind == ShapeKind::text);
    }
    if (operation.body == BodyKind::bytes && may_have_body(operation) && !has_body_member)
        fail("a body of bytes needs the member", "std::string body");
}

std::string_view media_type_of(const OperationInfo& operation) {
    if (!may_have_body(operation)) return {};
    switch (operation.body) {
        case BodyKind::form: return kForm;
        case BodyKind::protobuf: return kProtobuf;
        case BodyKind::bytes: return kBytes;
        case BodyKind::json: break;
    }
    return kJson;
}

Result<Done> read_request(
    const OperationInfo& operation, const RequestParts& parts, const Shape& shape, void* target
) {
    const auto& request = as_object(shape);
    Reading reading{operation, parts, request, target, member_sources(operation, request)};
    read_path_members(reading);
    read_parameters(
        reading, parts.query, reading.sources.query, ParameterReader{"", reading.problems}
    );
    if (auto problem = read_body(reading)) return *std::move(problem);
    return finish(reading);
}

Result<Done> read_path(
    const OperationInfo& operation, const RequestParts& parts, const Shape& shape, void* target
) {
    const auto& request = as_object(shape);
    Reading reading{operation, parts, request, target, member_sources(operation, request)};
    read_path_members(reading);
    read_parameters(reading, parts.query, 0, ParameterReader{"", reading.problems});
    return finish(reading);
}

Result<Done> read_json(std::string_view text, Unknown unknown, const Shape& shape, void* target) {
    SYNAPSEX_TRY(const JsonDocument document, JsonDocument::parse(text));
    FieldProblems problems;
    document.report_flaws(problems);
    JsonReader{document, unknown, problems}.read(document.root(), shape, target);
    if (!problems.empty()) return std::move(problems).into_problem();
    return Done{};
}

ClientRequest write_request(
    const OperationInfo& operation, const Shape& shape, const void* object
) {
    const auto& request = as_object(shape);
    const auto sources = member_sources(operation, request);
    ClientRequest out{.target = write_path(operation, request, object), .body = {}};
    if (const auto query = write_parameters(request, object, sources.query); !query.empty())
        out.target += "?" + query;
    if (sources.body == 0) return out;
    if (operation.body == BodyKind::form) {
        out.body = write_parameters(request, object, sources.body);
    } else if (operation.body == BodyKind::bytes) {
        for (const auto& member : request.members)
            if (member.cpp_name == kBodyMember)
                out.body = *static_cast<const std::string*>(member.in(object));
    } else {
        append_object(out.body, request, object, Absent::left_out, ~sources.body);
    }
    return out;
}

}  // namespace synapsex::api

#include "controlplane/platform/api/json_reader.hpp"
#include "controlplane/platform/api/parameter_reader.hpp"
#include "controlplane/platform/api/parameters.hpp"
#include "controlplane/platform/api/request_codec.hpp"

namespace synapsex::api {

namespace {

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
            if (member.is_called(name))
                return reader.read(reading.parts.path, member, name, reading.target);
    });
}

// The members in `mask` from names and values; names that none of them has are unknown.
void read_parameters(
    Reading& reading, const Parameters& given, std::uint64_t mask, ParameterReader reader
) {
    const auto members = reading.request.members;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (MemberSources::has(mask, i))
            reader.read(given, members[i], members[i].wire_name, reading.target);
    if (reading.operation.unknown == Unknown::ignore) return;
    for (const auto& [name, value] : given) {
        bool is_known = false;
        for (std::size_t i = 0; i < members.size(); ++i)
            is_known = is_known || (MemberSources::has(mask, i) && members[i].wire_name == name);
        if (!is_known) reader.report(name, {"unknown_parameter", "is not known here"});
    }
}

bool is_body_required(const Reading& reading) {
    const auto members = reading.request.members;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (MemberSources::has(reading.sources.body, i) && !may_be_absent(*members[i].shape))
            return true;
    return false;
}

std::optional<Problem> read_json_body(Reading& reading) {
    auto document = JsonDocument::parse(reading.parts.body);
    if (!document) return std::move(document).error();
    document->report_flaws(reading.problems);
    JsonReader reader{*document, reading.operation.unknown, reading.problems};
    reader.read_object(document->root(), reading.request, reading.target, ~reading.sources.body);
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
    if (operation.body == BodyKind::form) return media_type == kFormMedia;
    if (media_type == kMergePatchMedia) return operation.method == Verb::patch;
    return media_type == kJsonMedia;
}

std::optional<Problem> read_body(Reading& reading) {
    const auto& [operation, parts, request, target, sources, problems] = reading;
    if (operation.body == BodyKind::bytes && may_have_body(operation)) {
        for (const auto& member : request.members)
            if (member.cpp_name == kBytesMember)
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
            .detail = "This operation takes no body; it is steered by path and query alone."};
    if (!is_supported(operation, parts.media_type))
        return unsupported_media(operation, parts.media_type);
    return operation.body == BodyKind::form ? read_form_body(reading) : read_json_body(reading);
}

Result<Done> finish(Reading& reading) {
    if (!reading.problems.empty()) return std::move(reading.problems).into_problem();
    return Done{};
}

}  // namespace

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

}  // namespace synapsex::api

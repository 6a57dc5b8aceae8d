#pragma once

// What a Problem is on the wire: RFC 9457 application/problem+json.

#include <boost/describe.hpp>
#include <string>
#include <string_view>

#include "controlplane/platform/api/operation.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/problem.hpp"
#include "shared/base/result.hpp"

namespace synapsex::api {

struct FieldError {
    std::string pointer;
    std::string code;
    std::string detail;
};
BOOST_DESCRIBE_STRUCT(FieldError, (), (pointer, code, detail))

struct ProblemDocument {
    std::string type;
    std::string title;
    int status = 0;
    std::string detail;
    std::string code;
    std::string request_id;
    List<FieldError, 50> errors;
};
BOOST_DESCRIBE_STRUCT(ProblemDocument, (), (type, title, status, detail, code, request_id, errors))

template <>
inline constexpr Doc kDocOf<FieldError>{
    "One thing wrong with a request.",
    {{{"pointer", "JSON pointer into the body, or the name of a parameter.", "\"/name\""},
      {"code", "Stable; what programs compare.", "\"too_long\""},
      {"detail", "For people.", "\"must have at most 63 characters\""}}}};
template <>
inline constexpr Doc kDocOf<ProblemDocument>{
    "Why a request was refused or failed (RFC 9457).",
    {{{"type",
       "Where the code is documented.",
       "\"https://docs.synapsex.ai/problems/tenants.slug_taken\""},
      {"title", "The HTTP status in words.", "\"Conflict\""},
      {"status", "The HTTP status.", "409"},
      {"detail", "What happened, for people.", "\"The slug acme is taken.\""},
      {"code", "Stable; what programs compare.", "\"tenants.slug_taken\""},
      {"request_id", "Names this request in logs.", "\"req_01jgjz2m1xq3v5n8b7w6t4r2e0\""},
      {"errors", "Everything wrong with the request, where that is known by place."}}}};

std::string_view http_title(Kind kind);
// The kind that has the status; internal or invalid for a status that none has.
Kind kind_of_status(int status);

// The Problem in an answer of a control plane, its request id as the header X-Request-Id; a
// stand-in "http.<status>" if the body is no problem document (a proxy's page).
Problem parse_problem(int status, std::string_view body);

}  // namespace synapsex::api

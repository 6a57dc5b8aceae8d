#pragma once

// The problem answers that operations of the OpenAPI document share.

#include <array>
#include <string_view>

namespace synapsex::api {

struct ProblemResponse {
    int status;  // 0: all others
    std::string_view name;
    std::string_view description;
};
inline constexpr ProblemResponse kBadRequest{
    400, "BadRequest", "The request cannot be read; `errors` lists everything that is wrong."};
inline constexpr ProblemResponse kUnauthorized{
    401, "Unauthorized", "There is no credential, or it is wrong, expired or revoked."};
inline constexpr ProblemResponse kForbidden{
    403, "Forbidden", "The credential does not allow this."};
inline constexpr ProblemResponse kNotFound{
    404, "NotFound", "There is no such thing, or it belongs to another tenant."};
inline constexpr ProblemResponse kConflict{
    409, "Conflict", "What is there already contradicts the request."};
inline constexpr ProblemResponse kUnsupportedMedia{
    415, "UnsupportedMediaType", "The body is of a media type that the operation does not read."};
inline constexpr ProblemResponse kKeyReused{
    422, "IdempotencyKeyReused", "The Idempotency-Key came before, with another request."};
inline constexpr ProblemResponse kDefaultProblem{
    0, "Problem", "Refused or failed in another way; `code` tells which."};
inline constexpr std::array kProblems{
    kBadRequest,
    kUnauthorized,
    kForbidden,
    kNotFound,
    kConflict,
    kUnsupportedMedia,
    kKeyReused,
    kDefaultProblem};

// "tenants.members.add" -> "tenants".
constexpr std::string_view tag_of(std::string_view operation_id) {
    return operation_id.substr(0, operation_id.find('.'));
}

}  // namespace synapsex::api

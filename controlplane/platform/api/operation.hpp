#pragma once

// An operation of /v1, declared once: routing, reading with all problems, OpenAPI, the CLI's and
// the tests' calls all come from the constant and from the described structs it names.
//
//   inline constexpr Operation<CreateTenant, Tenant> kCreateTenant{
//       .id = "tenants.create", .method = Verb::post, .path = "/v1/tenants",
//       .access = auth::signed_in(), .success = 201, .summary = "Create a tenant."};
//
// Members of Request named in the path template come from the path ("{vmId}" is vm_id), the rest
// from the query (GET, DELETE) or the body.

#include <array>
#include <boost/describe.hpp>
#include <cstddef>
#include <string_view>

#include "controlplane/platform/auth/access.hpp"

namespace synapsex::api {

enum class Verb { get, post, put, patch, delete_ };

enum class BodyKind {
    json,      // also what GET and DELETE have: no body at all
    form,      // application/x-www-form-urlencoded
    protobuf,  // application/x-protobuf, and JSON by the ordinary walker
    bytes,     // handed over as it came; Request has a member `body`
};

// What an Idempotency-Key does for a POST or PATCH.
enum class Replay {
    stored,   // the answer is kept for 24 h and given again; the write returns it (db/effect.hpp)
    natural,  // repeating it changes nothing, so nothing is kept and the key is ignored
    none,     // repeating it is refused or means something new; the key is ignored
};

enum class Runs {
    pool,     // on the worker pool: may use the database
    inline_,  // on the I/O thread: microseconds, no database
};

// Keys of a request body that no member has.
enum class Unknown { reject, ignore };

// For an operation that its clients are asked to leave. It goes on as it was until then.
struct Deprecation {
    std::string_view since{};   // RFC 3339: Deprecation (RFC 9745); empty: it is not deprecated
    std::string_view sunset{};  // RFC 3339: Sunset (RFC 8594); empty: no end is set
    std::string_view successor{};  // a path of /v1, for Link; empty: nothing takes its place
};

// A Request or Response with no members: no body. As a Response: 204.
struct None {};
BOOST_DESCRIBE_STRUCT(None, (), ())

// All of an Operation but its types: what the router and the OpenAPI document work with.
struct OperationInfo {
    std::string_view id;
    Verb method = Verb::get;
    std::string_view path;
    auth::Access access{};
    BodyKind body = BodyKind::json;
    int success = 200;
    Replay replay = Replay::stored;
    Runs runs = Runs::pool;
    Unknown unknown = Unknown::reject;
    std::size_t body_bytes_max = 64 * 1024;
    std::string_view summary;
    std::string_view description;
    Deprecation deprecation{};
};

// Whether an Idempotency-Key makes the operation repeatable.
constexpr bool stores_answers(const OperationInfo& operation) {
    return operation.replay == Replay::stored &&
           (operation.method == Verb::post || operation.method == Verb::patch);
}

template <class RequestType, class ResponseType>
struct Operation {
    using Request = RequestType;
    using Response = ResponseType;

    std::string_view id;
    Verb method = Verb::get;
    std::string_view path;
    auth::Access access{};
    BodyKind body = BodyKind::json;
    int success = 200;
    Replay replay = Replay::stored;
    Runs runs = Runs::pool;
    Unknown unknown = Unknown::reject;
    std::size_t body_bytes_max = 64 * 1024;
    std::string_view summary;
    std::string_view description{};
    Deprecation deprecation{};

    constexpr OperationInfo info() const {
        return {id,     method,  path,           access,  body,        success,    replay,
                runs,   unknown, body_bytes_max, summary, description, deprecation};
    }
};

// What a described struct and its members are for, shown in OpenAPI. Specialise beside the struct:
//   template <> inline constexpr Doc kDocOf<CreateTenant>{
//       "A tenant to be made.", {{{"name", "What people call it."}, {"slug", "…", "acme"}}}};
struct FieldDoc {
    std::string_view member;   // the C++ name
    std::string_view text;     // a sentence; units where the name has none
    std::string_view example{};  // as JSON: "\"acme\"", "3"
};
// What `fields` does not say, `base` says: the struct it derives from, or kPageDoc.
struct Doc {
    std::string_view text{};
    std::array<FieldDoc, 40> fields{};
    const Doc* base = nullptr;
};
template <class T>
inline constexpr Doc kDocOf{};

// The members that every page and every request for one have.
inline constexpr Doc kPageDoc{
    {},
    {{{"limit", "How many at most.", "50"},
      {"cursor", "nextCursor of the page before; left out for the first."},
      {"next_cursor", "Where the next page starts; null on the last."}}}};

}  // namespace synapsex::api

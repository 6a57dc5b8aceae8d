#include "controlplane/cli/exit_code.hpp"

namespace synapsex::cli {

ExitCode exit_code_of(const Problem& problem) {
    if (problem.code == kInterrupted) return ExitCode::interrupted;
    if (problem.code == kTerminated) return ExitCode::terminated;
    switch (problem.kind) {
        case Kind::invalid:
        case Kind::unprocessable:
        case Kind::too_large:
        case Kind::header_too_large: return ExitCode::usage;
        case Kind::unauthenticated:
        case Kind::forbidden: return ExitCode::not_allowed;
        case Kind::not_found: return ExitCode::not_found;
        case Kind::timeout:
        case Kind::unavailable:
        case Kind::deadline_exceeded: return ExitCode::unreachable;
        case Kind::conflict:
        case Kind::precondition_failed:
        case Kind::precondition_required: return ExitCode::conflict;
        case Kind::rate_limited: return ExitCode::rate_limited;
        case Kind::method_not_allowed:
        case Kind::not_acceptable:
        case Kind::unsupported_media:
        case Kind::internal: return ExitCode::failure;
    }
    return ExitCode::failure;
}

}  // namespace synapsex::cli

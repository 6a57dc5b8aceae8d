#include "agent/worker/token_watch.hpp"

#include <sys/stat.h>

#include "agent/worker/enroller.hpp"
#include "shared/crypto/enrollment_token.hpp"

namespace synapsex::agent {

TokenWatch::TokenWatch(std::filesystem::path token_file, std::filesystem::path offered)
    : token_file_(std::move(token_file)),
      offered_(std::move(offered)),
      trace_at_start_(trace()) {}

TokenWatch::Found TokenWatch::look() const {
    const auto token = find_token();
    if (token && *token != refused_) return Found::token;
    const auto now = trace();
    return now && now != trace_at_start_ ? Found::at_next_start : Found::nothing;
}

void TokenWatch::refuse() { refused_ = find_token().value_or(""); }

// One that is still being written is none yet.
std::optional<std::string> TokenWatch::find_token() const {
    auto text = read_enrollment_token(token_file_);
    if (!text || !crypto::parse_enrollment_token(*text)) return std::nullopt;
    return *std::move(text);
}

std::optional<TokenWatch::Trace> TokenWatch::trace() const {
    struct stat facts {};
    if (offered_.empty() || ::lstat(offered_.c_str(), &facts) != 0) return std::nullopt;
    if (!S_ISREG(facts.st_mode) || facts.st_size == 0) return std::nullopt;
    return Trace{facts.st_dev, facts.st_ino, facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec};
}

}  // namespace synapsex::agent

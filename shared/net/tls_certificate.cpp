#include "shared/net/tls_certificate.hpp"

#include <sys/stat.h>

namespace synapsex::net {
namespace {

// Tells one state of the files from another: inode, size and times of each.
std::string look(const TlsFiles& files) {
    std::string seen;
    for (const auto* file : {&files.certificate, &files.key}) {
        struct stat status{};
        if (::stat(file->c_str(), &status) != 0) continue;
        for (const auto number : {
                 static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino),
                 static_cast<std::int64_t>(status.st_size), std::int64_t{status.st_mtim.tv_sec},
                 std::int64_t{status.st_mtim.tv_nsec}, std::int64_t{status.st_ctim.tv_sec},
                 std::int64_t{status.st_ctim.tv_nsec},
             })
            seen += std::to_string(number) + ' ';
    }
    return seen;
}

}  // namespace

Result<std::unique_ptr<TlsCertificate>> TlsCertificate::open(const TlsFiles& files) {
    const auto seen = look(files);
    SYNAPSEX_TRY(auto context, TlsContext::load(files));
    return std::unique_ptr<TlsCertificate>{new TlsCertificate{files, std::move(context), seen}};
}

std::shared_ptr<const TlsContext> TlsCertificate::current() const {
    const std::lock_guard lock{mutex_};
    return current_;
}

Result<bool> TlsCertificate::reload() {
    // Looked at before they are read: what is written meanwhile is read at the next call.
    const auto seen = look(files_);
    if (seen == seen_) return false;
    SYNAPSEX_TRY(auto context, TlsContext::load(files_));
    seen_ = seen;
    const std::lock_guard lock{mutex_};
    current_.swap(context);
    context->is_superseded_ = true;
    return true;
}

}  // namespace synapsex::net

#pragma once

// A certificate in files that somebody renews while the server runs (certbot, an operator). New
// connections get the newest that could be loaded; those that are open keep theirs, and can tell
// that it is superseded.

#include <memory>
#include <mutex>

#include "shared/net/tls_context.hpp"

namespace synapsex::net {

class TlsCertificate {
 public:
    // Problems as of TlsContext::load.
    static Result<std::unique_ptr<TlsCertificate>> open(const TlsFiles& files);

    // Any thread.
    std::shared_ptr<const TlsContext> current() const;
    // Loads the files again if one of them is another than it was: renamed over, or written to.
    // True if that made a new context. From one thread at a time. A Problem leaves the one there is
    // in place; asked again, the files are read again, since a key may follow its certificate a
    // moment later.
    Result<bool> reload();

 private:
    TlsCertificate(
        const TlsFiles& files, std::shared_ptr<const TlsContext> context, std::string seen
    )
        : files_(files), current_(std::move(context)), seen_(std::move(seen)) {}

    const TlsFiles files_;
    mutable std::mutex mutex_;
    std::shared_ptr<const TlsContext> current_;
    std::string seen_;  // of the files as loaded
};

}  // namespace synapsex::net

#pragma once

// Takes secrets out of text that leaves the machine: what looks like one, and what is known to be
// one here. A second line of defence: what is collected is chosen so that there are none.

#include <string>
#include <string_view>
#include <vector>

namespace synapsex::agent {

class Redaction {
 public:
    // A secret of this machine, as it is and in base64url and hex; short ones are left out.
    void add_known(std::string_view secret);

    // What may be a secret in a variable of an environment: the password of a URL, with a scheme or
    // without, and all of what is named as a secret is.
    void add_variable(std::string_view name, std::string_view value);

    // With "[redacted]" in place of enrollment tokens' and API keys' secrets, JWTs, private keys in
    // PEM, user and password in URLs, values after Bearer, Basic, password=, token= and the like,
    // and what is known.
    std::string apply(std::string_view text) const;

 private:
    std::vector<std::string> known_;
};

}  // namespace synapsex::agent

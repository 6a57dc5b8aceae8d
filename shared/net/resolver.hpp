#pragma once

// From a host name to its addresses. Behind an interface, so that rules about answers are tested
// without a name server.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/net/ip_address.hpp"

namespace synapsex::net {

inline constexpr std::string_view kUnresolved = "egress.unresolved";
inline constexpr std::string_view kResolveTimeout = "egress.resolve_timeout";

class Resolver {
 public:
    virtual ~Resolver() = default;
    // Every address of the host, IPv4 and IPv6. kUnresolved if it has none or nobody answers,
    // kResolveTimeout at the deadline.
    virtual Result<std::vector<IpAddress>> resolve(const std::string& host, Deadline deadline) = 0;
};

using Lookup = std::function<Result<std::vector<IpAddress>>(const std::string& host)>;

// getaddrinfo with the machine's hosts file and name servers, but without its search list: a name
// that a tenant supplied is never completed to one of the operator's. It blocks and cannot be
// ended; over UDP two rounds of 2 s over at most three name servers end it by themselves, over TCP
// the kernel does.
Result<std::vector<IpAddress>> look_up(const std::string& host);

// Look-ups on a few threads of its own, so that a caller waits until its deadline and no longer. An
// answer that comes later is dropped. While every thread hangs, further callers wait for one until
// their own deadline: slow names delay other look-ups and nothing else. Its destructor waits for
// look-ups that run. Any thread.
class SystemResolver final : public Resolver {
 public:
    explicit SystemResolver(Lookup lookup = look_up, std::size_t threads = 4);
    ~SystemResolver() override;
    SystemResolver(const SystemResolver&) = delete;
    SystemResolver& operator=(const SystemResolver&) = delete;

    Result<std::vector<IpAddress>> resolve(const std::string& host, Deadline deadline) override;

 private:
    struct Question;
    void answer_questions();

    Lookup lookup_;
    std::mutex mutex_;
    std::condition_variable asked_;
    std::condition_variable answered_;
    std::deque<std::shared_ptr<Question>> waiting_;
    bool is_stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace synapsex::net

#include "shared/net/resolver.hpp"

#include <algorithm>
#include <optional>

#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>

namespace synapsex::net {

namespace {

constexpr int kRounds = 2;
constexpr int kSecondsOfRound = 2;

struct FreeAddresses {
    void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

Problem unresolved(Kind kind, const std::string& host, const std::string& why) {
    return {kind, std::string{kUnresolved}, "The host '" + host + "' has no address: " + why + "."};
}

// glibc keeps these options for each thread.
void limit_look_ups_of_this_thread() {
    static thread_local const bool is_done = [] {
        if (res_init() != 0) return false;
        _res.options &= ~(static_cast<unsigned long>(RES_DNSRCH) |
                          static_cast<unsigned long>(RES_DEFNAMES));
        _res.retry = kRounds;
        _res.retrans = kSecondsOfRound;
        return true;
    }();
    if (!is_done) throw std::runtime_error("the resolver's configuration cannot be read");
}

}  // namespace

Result<std::vector<IpAddress>> look_up(const std::string& host) {
    limit_look_ups_of_this_thread();
    addrinfo wish{};
    wish.ai_family = AF_UNSPEC;
    wish.ai_socktype = SOCK_STREAM;  // else each address comes once for each kind of socket
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host.c_str(), nullptr, &wish, &found);
    const std::unique_ptr<addrinfo, FreeAddresses> owner{found};
    if (error == EAI_MEMORY) throw std::bad_alloc{};
    if (error != 0) {
        const bool is_final = error == EAI_NONAME || error == EAI_NODATA;
        const auto kind = is_final ? Kind::unprocessable : Kind::unavailable;
        return unresolved(kind, host, gai_strerror(error));
    }
    std::vector<IpAddress> addresses;
    for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
        const auto address = IpAddress::from(*entry->ai_addr);
        if (address && std::ranges::find(addresses, *address) == addresses.end())
            addresses.push_back(*address);
    }
    return addresses;
}

struct SystemResolver::Question {
    std::string host;
    std::optional<Result<std::vector<IpAddress>>> answer{};
};

SystemResolver::SystemResolver(Lookup lookup, std::size_t threads) : lookup_(std::move(lookup)) {
    for (std::size_t index = 0; index < threads; ++index)
        threads_.emplace_back([this] { answer_questions(); });
}

SystemResolver::~SystemResolver() {
    {
        const std::lock_guard lock{mutex_};
        is_stopping_ = true;
    }
    asked_.notify_all();
    for (auto& thread : threads_) thread.join();
}

Result<std::vector<IpAddress>> SystemResolver::resolve(
    const std::string& host, Deadline deadline
) {
    const auto question = std::make_shared<Question>(Question{host});
    std::unique_lock lock{mutex_};
    waiting_.push_back(question);
    asked_.notify_one();
    if (answered_.wait_until(lock, deadline.instant(), [&] { return !!question->answer; }))
        return std::move(*question->answer);
    std::erase(waiting_, question);
    return Problem{
        Kind::deadline_exceeded, std::string{kResolveTimeout},
        "The addresses of '" + host + "' were not found in time."};
}

void SystemResolver::answer_questions() {
    std::unique_lock lock{mutex_};
    for (;;) {
        asked_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
        if (is_stopping_) return;
        const auto question = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        auto answer = [&]() -> Result<std::vector<IpAddress>> {
            try {
                return lookup_(question->host);
            } catch (const std::exception& error) {
                return unresolved(Kind::unavailable, question->host, error.what());
            }
        }();
        lock.lock();
        question->answer = std::move(answer);
        answered_.notify_all();
    }
}

}  // namespace synapsex::net

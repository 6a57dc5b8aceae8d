#include "controlplane/platform/db/postgres/notifications.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "controlplane/platform/db/postgres/raw_connection.hpp"
#include "controlplane/platform/db/postgres/session.hpp"
#include "shared/base/backoff.hpp"
#include "shared/base/log.hpp"

namespace synapsex::db {

namespace {

constexpr std::chrono::milliseconds kBackoffBase{200};
constexpr std::chrono::milliseconds kBackoffMax{10'000};

class Receiver final : public pqxx::notification_receiver {
 public:
    Receiver(
        pqxx::connection_base& connection, const std::string& channel,
        const PostgresNotifications::Callbacks& callbacks
    )
        : notification_receiver(connection, channel), callbacks_(callbacks) {}

    void operator()(const std::string& payload, int) override { callbacks_.heard(payload); }

 private:
    const PostgresNotifications::Callbacks& callbacks_;
};

int make_event() {
    const int event = ::eventfd(0, EFD_CLOEXEC);
    if (event < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
    return event;
}

}  // namespace

PostgresNotifications::PostgresNotifications(
    Options options, Random& random, Callbacks callbacks
)
    : options_(std::move(options)),
      random_(random),
      callbacks_(std::move(callbacks)),
      stop_(make_event()),
      thread_([this] { run(); }) {}

PostgresNotifications::~PostgresNotifications() {
    const std::uint64_t once = 1;
    (void)!::write(stop_, &once, sizeof once);
    thread_.join();
    ::close(stop_);
}

void PostgresNotifications::run() {
    Backoff backoff{kBackoffBase, kBackoffMax};
    for (bool goes_on = true; goes_on;) {
        try {
            listen();
            return;
        } catch (const std::exception& error) {
            if (is_listening_.exchange(false)) backoff.reset();
            if (backoff.attempt() == 0)
                log_warning(
                    "cannot hear what replicas tell each other, trying again",
                    {{"why", error.what()}}
                );
        }
        goes_on = rest(backoff.next(random_));
    }
}

// Until it is to stop; throws when the connection is lost.
void PostgresNotifications::listen() try {
    RawConnection raw{options_.url};
    const Receiver receiver{raw.connection, options_.channel, callbacks_};
    is_listening_ = true;
    callbacks_.listens();
    while (wait_for_bytes(raw.connection.sock())) raw.connection.get_notifs();
    is_listening_ = false;
    // Else the receiver's end says UNLISTEN, which a server that hangs would not answer.
    raw.connection.disconnect();
} catch (...) {
    rethrow_as_postgres_error("cannot listen");  // without the URL in its text
}

bool PostgresNotifications::wait_for_bytes(int socket) const {
    std::array<pollfd, 2> waits{{{socket, POLLIN, 0}, {stop_, POLLIN, 0}}};
    while (::poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR) {
    }
    return waits[1].revents == 0;
}

bool PostgresNotifications::rest(std::chrono::milliseconds time) const {
    pollfd waits{stop_, POLLIN, 0};
    return ::poll(&waits, 1, static_cast<int>(time.count())) == 0;
}

}  // namespace synapsex::db

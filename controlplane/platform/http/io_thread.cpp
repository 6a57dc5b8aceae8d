#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>

#include "controlplane/platform/http/session.hpp"
#include "shared/base/log.hpp"

namespace synapsex::http {
namespace {

constexpr std::size_t kSpareBuffersMax = 64;

}  // namespace

Place::~Place() {
    const std::lock_guard lock{shared_.mutex};
    if (shared_.open.fetch_sub(1) == 1) shared_.is_empty.notify_all();
}

bool BodyShare::grow_to(std::size_t bytes) {
    const auto more = bytes - bytes_;
    const auto before = shared_.body_bytes.fetch_add(more, std::memory_order_relaxed);
    if (before + more > shared_.limits.body_bytes_in_flight_max) {
        shared_.body_bytes.fetch_sub(more, std::memory_order_relaxed);
        return false;
    }
    bytes_ = bytes;
    return true;
}

void BodyShare::give_back() {
    shared_.body_bytes.fetch_sub(std::exchange(bytes_, 0), std::memory_order_relaxed);
}

IoThread::IoThread(Shared& shared)
    : shared_(shared), work_(asio::make_work_guard(context_)), sweep_timer_(context_) {
    refresh_fixed_fields();
}

void IoThread::run() {
    asio::co_spawn(context_, sweep(), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);  // a bug: deadlines would not be kept
    });
    context_.run();
}

void IoThread::start_session(Welcome welcome) {
    // Accepted on another thread, perhaps; from here on it belongs to this one. Counted at once, so
    // that the limit holds however many are on their way.
    auto place = std::make_unique<Place>(shared_);
    auto start = [this, welcome = std::move(welcome), place = std::move(place)]() mutable {
        if (is_abandoned_) return;
        try {
            Session::start(*this, std::move(welcome), std::move(place));
        } catch (const std::exception& error) {
            // The next connection may fare better.
            log_error("connection dropped by an exception", {{"error", error.what()}});
        }
    };
    asio::dispatch(context_, std::move(start));
}

std::size_t IoThread::add(Session& session) {
    slots_.push_back(Slot{SteadyTime::max(), &session});
    return slots_.size() - 1;
}

void IoThread::remove(std::size_t slot) {
    slots_[slot] = slots_.back();
    slots_[slot].session->slot_ = slot;
    slots_.pop_back();
}

Task<void> IoThread::sweep() {
    while (!is_abandoned_) {
        sweep_timer_.expires_after(shared_.limits.sweep_interval);
        boost::system::error_code ignored;
        co_await sweep_timer_.async_wait(asio::redirect_error(kAwait, ignored));
        refresh_fixed_fields();
        close_overdue();
        if (on_sweep_) on_sweep_();
    }
}

void IoThread::close_overdue() {
    const auto now = shared_.clock.steady_now();
    const bool is_crowded = shared_.open.load() * 10 >= shared_.limits.connections_max * 9;
    // No session ends within on_overdue(): it only hears of it.
    for (const Slot& slot : slots_)
        if (slot.deadline <= now || (is_crowded && slot.session->gives_way(now)))
            slot.session->on_overdue();
}

void IoThread::drain() {
    is_draining_ = true;
    for (const Slot& slot : slots_) slot.session->drain();
}

void IoThread::abandon() {
    is_draining_ = true;
    is_abandoned_ = true;
    for (const Slot& slot : slots_) slot.session->abandon();
    sweep_timer_.cancel();
    work_.reset();
}

std::unique_ptr<char[]> IoThread::take_buffer() {
    if (spare_buffers_.empty())
        return std::make_unique_for_overwrite<char[]>(shared_.limits.header_bytes_max);
    auto buffer = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
    return buffer;
}

void IoThread::give_buffer(std::unique_ptr<char[]> buffer) {
    if (spare_buffers_.size() < kSpareBuffersMax) spare_buffers_.push_back(std::move(buffer));
}

void IoThread::refresh_fixed_fields() {
    const auto now = std::chrono::floor<std::chrono::seconds>(shared_.clock.now());
    if (now == fixed_fields_at_) return;
    fixed_fields_at_ = now;
    fixed_fields_ = "Date: " + format_http_date(now) + "\r\nServer: synapsex\r\n";
}

}  // namespace synapsex::http

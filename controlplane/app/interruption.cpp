#include "controlplane/app/interruption.hpp"

#include <array>
#include <csignal>
#include <string>

#include <signal.h>
#include <string.h>

#include "controlplane/app/start_refused.hpp"

namespace synapsex::app {

namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

volatile std::sig_atomic_t came = 0;

void note(int signal) { came = signal; }

}  // namespace

Interruption::Interruption() {
    came = 0;
    struct sigaction action{};
    action.sa_handler = &note;
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        ::sigaction(kSignals[i], nullptr, &before_[i]);
        if (before_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
    }
}

Interruption::~Interruption() {
    for (std::size_t i = 0; i < kSignals.size(); ++i)
        ::sigaction(kSignals[i], &before_[i], nullptr);
}

void Interruption::check() {
    if (came != 0)
        throw StartRefused(
            std::string{"stopped by SIG"} + ::sigabbrev_np(came) + "; nothing was changed"
        );
}

}  // namespace synapsex::app

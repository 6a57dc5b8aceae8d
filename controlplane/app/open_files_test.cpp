#include "controlplane/app/open_files.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "controlplane/app/services.hpp"
#include "shared/base/log.hpp"

namespace synapsex::app {
namespace {

rlimit limit_now() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit;
}

void limit_to(rlim_t soft, rlim_t hard) {
    const rlimit limit{soft, hard};
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Limits can be lowered but not raised again, so each story has a process of its own.
template <class Story>
[[noreturn]] void tell(Story story) {
    set_log_level(LogLevel::error);
    std::exit(story() ? 0 : 1);
}

using ::testing::ExitedWithCode;

TEST(OpenFiles, are_allowed_for_every_connection_and_some_more) {
    EXPECT_EXIT(
        tell([] {
            limit_to(300, 1000);
            return allow_connections(500) == 500 && limit_now().rlim_cur == 500 + kOtherFilesMax;
        }),
        ExitedWithCode(0), ""
    );
}

TEST(OpenFiles, a_limit_that_is_high_enough_is_left_alone) {
    EXPECT_EXIT(
        tell([] {
            limit_to(900, 1000);
            return allow_connections(500) == 500 && limit_now().rlim_cur == 900;
        }),
        ExitedWithCode(0), ""
    );
}

TEST(OpenFiles, a_low_hard_limit_leaves_fewer_connections) {
    EXPECT_EXIT(
        tell([] {
            limit_to(300, 400);
            return allow_connections(500) == 400 - kOtherFilesMax && limit_now().rlim_cur == 400;
        }),
        ExitedWithCode(0), ""
    );
}

TEST(OpenFiles, too_few_for_a_single_connection_are_refused) {
    EXPECT_EXIT(
        tell([] {
            limit_to(kOtherFilesMax, kOtherFilesMax);
            try {
                allow_connections(500);
                return false;
            } catch (const StartRefused&) {
                return true;
            }
        }),
        ExitedWithCode(0), ""
    );
}

}  // namespace
}  // namespace synapsex::app

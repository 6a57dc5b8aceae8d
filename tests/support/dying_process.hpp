#pragma once

// Runs a part of this test program in a process of its own, to be killed where it stands.

#include <cstdlib>
#include <filesystem>
#include <string>

namespace synapsex::testing {

// The disabled tests of that suite, with "NAME='value' …" in their environment. How the process
// ended, as from wait().
inline int run_in_process(const std::string& suite, const std::string& environment) {
    const auto program = std::filesystem::read_symlink("/proc/self/exe").string();
    const auto command = environment + " exec '" + program +
                         "' --gtest_also_run_disabled_tests --gtest_filter=" + suite +
                         ".* --gtest_brief=1 >/dev/null";
    return std::system(command.c_str());
}

}  // namespace synapsex::testing

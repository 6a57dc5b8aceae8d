#include <exception>
#include <iostream>

#include "controlplane/cli/command_line.hpp"
#include "controlplane/cli/process.hpp"
#include "controlplane/cli/terminal.hpp"
#include "shared/base/random.hpp"
#include "shared/base/time.hpp"

int main(int count, char** values) {
    using namespace synapsex;
    try {
        cli::prepare_process();
        SystemClock clock;
        SystemRandom random;
        auto surroundings = cli::surroundings_of_process(clock, random);
        if (count > 0) surroundings.program = cli::name_in_shell(*values);
        const auto code = cli::run_command_line({values + 1, values + count}, surroundings);
        return static_cast<int>(code);
    } catch (const std::exception& error) {
        std::cerr << cli::sentence("synapsexctl: {}\n", {error.what()});
        return static_cast<int>(cli::ExitCode::failure);
    }
}

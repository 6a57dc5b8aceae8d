#pragma once

// `synapsexctl vms verify`: whether what the server shows of a VM is what its agent signed.

#include <string>
#include <vector>

#include "controlplane/cli/context.hpp"

namespace synapsex::cli {

struct VerifyOptions {
    std::string vm;                 // id or name
    std::vector<std::string> keys;  // ids of the keys to believe; empty: any that signed
};

// Prints a row for each section. Fails with cli.inventory_unproven unless all are proven.
Result<Done> verify_vm(Context& context, const VerifyOptions& options);

}  // namespace synapsex::cli

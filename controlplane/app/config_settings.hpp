#pragma once

// The one table of settings: what each is called, and how its text gets into the Config.

#include "controlplane/app/config.hpp"

namespace synapsex::app {

// Why not, or nothing.
using Apply = std::optional<std::string> (*)(Config&, const std::string&);

struct Setting {
    SettingInfo info;
    Apply apply;
};
const std::vector<Setting>& setting_table();

}  // namespace synapsex::app

#pragma once

// The package database of Debian and its descendants, var/lib/dpkg/status, read as a stream.
//
// A package is installed when its Status is "<wish> ok installed": the wish may be "install", but
// also "hold" or "deinstall", which say what should happen next and not what is. Removed packages
// whose configuration files are left, and half-installed ones, are not shown.

#include "agent/platform/linux/root.hpp"
#include "agent/platform/system_facts.hpp"

namespace synapsex::platform {

// "dpkg", or an empty text where there is no such database.
std::string visit_dpkg_packages(const Root& root, const PackageVisitor& visit);

// dpkg writes a new file and renames it over the old one, so a change always shows here.
PackageStamp dpkg_stamp(const Root& root);

}  // namespace synapsex::platform

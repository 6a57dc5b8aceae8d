#pragma once

// For tests: a root directory with the files of a made-up machine, gone with the object.

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <stdlib.h>

namespace synapsex::platform {

class FixtureTree {
 public:
    FixtureTree() {
        auto name = (std::filesystem::temp_directory_path() / "synapsex-root-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp " + name);
        path_ = name;
    }
    ~FixtureTree() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    FixtureTree(const FixtureTree&) = delete;
    FixtureTree& operator=(const FixtureTree&) = delete;

    FixtureTree& file(const std::string& path, std::string_view content) {
        make_parent(path);
        std::ofstream{path_ / path, std::ios::binary} << content;
        return *this;
    }
    FixtureTree& link(const std::string& path, const std::string& target) {
        make_parent(path);
        std::filesystem::create_symlink(target, path_ / path);
        return *this;
    }
    FixtureTree& directory(const std::string& path) {
        std::filesystem::create_directories(path_ / path);
        return *this;
    }

    // A disk as /sys/block shows it: a link into /sys/devices; `device` where there is hardware.
    FixtureTree& virtio_disk(const std::string& name, const std::string& sectors) {
        const std::string device = "sys/devices/pci0000:00/0000:00:02.0/virtio1";
        directory(device + "/block/" + name + "/queue");
        file(device + "/block/" + name + "/size", sectors + "\n");
        file(device + "/block/" + name + "/queue/rotational", "1\n");
        file(device + "/block/" + name + "/removable", "0\n");
        link(device + "/block/" + name + "/device", "../../../virtio1");
        return link("sys/block/" + name, "../" + device.substr(4) + "/block/" + name);
    }
    FixtureTree& virtual_disk(const std::string& name) {
        const auto device = "sys/devices/virtual/block/" + name;
        file(device + "/size", "2048\n");
        return link("sys/block/" + name, "../devices/virtual/block/" + name);
    }
    FixtureTree& physical_link(const std::string& name) {
        const auto device = "sys/devices/pci0000:00/0000:00:03.0/" + name + "-card";
        directory(device + "/net/" + name);
        link(device + "/net/" + name + "/device", "../../../" + name + "-card");
        return link("sys/class/net/" + name, "../../" + device.substr(4) + "/net/" + name);
    }
    FixtureTree& virtual_link(const std::string& name) {
        directory("sys/devices/virtual/net/" + name);
        return link("sys/class/net/" + name, "../../devices/virtual/net/" + name);
    }

    std::string path() const { return path_.string(); }

 private:
    void make_parent(const std::string& path) {
        std::filesystem::create_directories((path_ / path).parent_path());
    }

    std::filesystem::path path_;
};

}  // namespace synapsex::platform

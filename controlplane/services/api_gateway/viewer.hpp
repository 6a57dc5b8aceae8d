#pragma once

// The API reference at /docs. With the viewer's npm package at configure time, its files are part
// of the binary (viewer.cpp); without it, /docs is a plain page that links the
// document.

#include <span>
#include <string_view>

namespace synapsex::api_gateway {

struct ViewerFile {
    std::string_view operation_id;
    std::string_view path;
    std::string_view content_type;
    std::string_view bytes;
};

std::span<const ViewerFile> viewer_files();

}  // namespace synapsex::api_gateway

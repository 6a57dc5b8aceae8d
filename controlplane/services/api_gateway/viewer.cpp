#include "controlplane/services/api_gateway/viewer.hpp"

#include <array>

// Puts a file's bytes into the read-only part of the binary, between <symbol>_begin and
// <symbol>_end. Pages that nobody reads take no memory.
#define SYNAPSEX_EMBED(symbol, path)                                                   \
    asm(".pushsection .rodata\n"                                                       \
        #symbol "_begin:\n.incbin \"" path "\"\n" #symbol "_end:\n.byte 0\n"           \
        ".popsection\n");                                                              \
    extern "C" const char symbol##_begin[];                                            \
    extern "C" const char symbol##_end[]

#ifdef SYNAPSEX_VIEWER_DIRECTORY
SYNAPSEX_EMBED(synapsex_viewer_page, SYNAPSEX_VIEWER_SOURCE "/index.html");
SYNAPSEX_EMBED(synapsex_viewer_start, SYNAPSEX_VIEWER_SOURCE "/start.js");
SYNAPSEX_EMBED(synapsex_viewer_script, SYNAPSEX_VIEWER_DIRECTORY "/swagger-ui-bundle.js");
SYNAPSEX_EMBED(synapsex_viewer_style, SYNAPSEX_VIEWER_DIRECTORY "/swagger-ui.css");
#else
SYNAPSEX_EMBED(synapsex_viewer_page, SYNAPSEX_VIEWER_SOURCE "/plain.html");
#endif

namespace synapsex::api_gateway {

namespace {

std::string_view between(const char* begin, const char* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
}

constexpr std::string_view kHtml = "text/html; charset=utf-8";

}  // namespace

std::span<const ViewerFile> viewer_files() {
    static const std::array files{
        ViewerFile{
            "gateway.docs",
            "/docs",
            kHtml,
            between(synapsex_viewer_page_begin, synapsex_viewer_page_end)},
#ifdef SYNAPSEX_VIEWER_DIRECTORY
        ViewerFile{
            "gateway.docs.start",
            "/docs/start.js",
            "text/javascript; charset=utf-8",
            between(synapsex_viewer_start_begin, synapsex_viewer_start_end)},
        ViewerFile{
            "gateway.docs.script",
            "/docs/viewer.js",
            "text/javascript; charset=utf-8",
            between(synapsex_viewer_script_begin, synapsex_viewer_script_end)},
        ViewerFile{
            "gateway.docs.style",
            "/docs/viewer.css",
            "text/css; charset=utf-8",
            between(synapsex_viewer_style_begin, synapsex_viewer_style_end)},
#endif
    };
    return files;
}

}  // namespace synapsex::api_gateway

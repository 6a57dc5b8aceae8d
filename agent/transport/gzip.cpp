#include "agent/transport/gzip.hpp"

#include <new>
#include <stdexcept>

#include <zlib.h>

namespace synapsex::agent {

std::string gzip(std::string_view bytes) {
    constexpr int kWindowBits = 12;
    constexpr int kGzipFormat = 16;  // added to the window bits, says zlib
    constexpr int kMemoryLevel = 5;
    z_stream stream{};
    // Z_DEFAULT_COMPRESSION and the like; the version check inside is a macro with an old cast.
    const int started = deflateInit2_(
        &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits + kGzipFormat, kMemoryLevel,
        Z_DEFAULT_STRATEGY, ZLIB_VERSION, sizeof(z_stream)
    );
    if (started != Z_OK) throw std::bad_alloc{};
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    // zlib's input pointer is not const, but it does not write through it.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int ended = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (ended != Z_STREAM_END) throw std::runtime_error("zlib did not finish a body");
    return out;
}

}  // namespace synapsex::agent

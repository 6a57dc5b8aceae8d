#include "controlplane/platform/api/gzip.hpp"

#include <array>
#include <memory>
#include <stdexcept>

#include <zlib.h>

namespace synapsex::api {

namespace {

constexpr int kGzipWindow = 15 + 16;

Problem broken() {
    return {Kind::invalid, "request.encoding_broken", "The body is no complete gzip member."};
}

}  // namespace

std::string gzip(std::string_view text) {
    z_stream stream{};
    constexpr int kMemory = 8;
    const int status = deflateInit2(
        &stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY
    );
    if (status != Z_OK) throw std::runtime_error("zlib does not start");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> closer{&stream, deflateEnd};
    std::string packed(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("zlib does not pack");
    packed.resize(packed.size() - stream.avail_out);
    return packed;
}

Result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max) {
    z_stream stream{};
    if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw std::runtime_error("zlib does not start");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> closer{&stream, inflateEnd};

    // zlib's interface is not const-correct; it only reads.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data()));
    stream.avail_in = static_cast<uInt>(compressed.size());
    std::string text;
    std::array<char, 16 * 1024> piece{};
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        stream.avail_out = static_cast<uInt>(piece.size());
        status = inflate(&stream, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END) return broken();
        const auto size = piece.size() - stream.avail_out;
        if (size == 0 && status == Z_OK) return broken();
        if (text.size() + size > bytes_max) {
            return Problem{
                Kind::too_large, "request.too_large",
                "The body is larger than " + std::to_string(bytes_max) + " bytes when unpacked."
            };
        }
        text.append(piece.data(), size);
    }
    if (stream.avail_in != 0) return broken();
    return text;
}

}  // namespace synapsex::api

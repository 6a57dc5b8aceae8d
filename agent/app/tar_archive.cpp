#include "agent/app/tar_archive.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <stdexcept>

namespace synapsex::agent {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameMax = 100;

// Where a field begins in a header, and its size with the NUL at its end.
struct Field {
    std::size_t start;
    std::size_t size;
};
constexpr Field kMode{100, 8}, kUser{108, 8}, kGroup{116, 8}, kSize{124, 12}, kTime{136, 12},
    kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr std::size_t kMagic = 257;

void put_octal(std::string& header, Field field, std::uint64_t value) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%0*llo", static_cast<int>(field.size) - 1,
                  static_cast<unsigned long long>(value));
    header.replace(field.start, field.size - 1, text.data(), field.size - 1);
}

}  // namespace

void TarArchive::add(std::string_view name, std::string_view content) {
    const auto path = folder_ + "/" + std::string{name};
    if (path.size() > kNameMax) throw std::length_error("too long a name for an archive: " + path);
    std::string header(kBlock, '\0');
    header.replace(0, path.size(), path);
    put_octal(header, kMode, 0600);
    put_octal(header, kUser, 0);
    put_octal(header, kGroup, 0);
    put_octal(header, kSize, content.size());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time_.time_since_epoch());
    const auto since_1970 = std::max<std::int64_t>(seconds.count(), 0);
    put_octal(header, kTime, static_cast<std::uint64_t>(since_1970));
    header[kType] = '0';
    header.replace(kMagic, 8, std::string_view{"ustar\00000", 8});
    // The sum is that of a header whose checksum is blanks.
    header.replace(kChecksum.start, kChecksum.size, kChecksum.size, ' ');
    const auto sum = std::accumulate(header.begin(), header.end(), 0U, [](unsigned total, char c) {
        return total + static_cast<unsigned char>(c);
    });
    put_octal(header, {kChecksum.start, 7}, sum);
    header[kChecksum.start + 6] = '\0';
    bytes_ += header;
    bytes_ += content;
    bytes_.append((kBlock - content.size() % kBlock) % kBlock, '\0');
}

std::string TarArchive::finish() const { return bytes_ + std::string(2 * kBlock, '\0'); }

}  // namespace synapsex::agent

#include "agent/platform/linux/line_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace synapsex::platform {

std::optional<std::string_view> LineReader::next() {
    if (is_line_cut_) skip_rest_of_line();
    std::size_t searched = begin_;
    while (true) {
        const auto* from = buffer_.data() + searched;
        const auto* found = static_cast<const char*>(std::memchr(from, '\n', end_ - searched));
        if (found) {
            const auto stop = static_cast<std::size_t>(found - buffer_.data());
            const std::string_view line{buffer_.data() + begin_, stop - begin_};
            begin_ = stop + 1;
            return line;
        }
        searched = end_ - begin_;  // where it will be once fill() has moved the line to the front
        if (fill()) continue;
        const std::string_view rest{buffer_.data() + begin_, end_ - begin_};
        is_line_cut_ = rest.size() == kLineMax;
        begin_ = end_;
        if (rest.empty()) return std::nullopt;
        return rest;
    }
}

// Moves the unfinished line to the front and reads on behind it; false if nothing more came.
bool LineReader::fill() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (!file_.is_open() || end_ == kLineMax || bytes_read_ >= kFileMax) return false;
    ssize_t count = 0;
    do {
        count = ::read(file_.number(), buffer_.data() + end_, kLineMax - end_);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) return false;
    end_ += static_cast<std::size_t>(count);
    bytes_read_ += static_cast<std::size_t>(count);
    return true;
}

void LineReader::skip_rest_of_line() {
    is_line_cut_ = false;
    do {
        const auto* first = buffer_.data() + begin_;
        const auto* last = buffer_.data() + end_;
        const auto* found = std::find(first, last, '\n');
        begin_ += static_cast<std::size_t>(found - first);
        if (found == last) continue;
        ++begin_;
        return;
    } while (fill());
}

}  // namespace synapsex::platform

#include "agent/plugins/inventory/limits.hpp"

#include <algorithm>

#include "shared/base/utf8.hpp"

namespace synapsex::inventory {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; }

bool is_plain_ascii(char c) { return c >= 0x20 && c < 0x7F; }

}  // namespace

void Limiter::limit(std::string& text, std::size_t bytes_max) {
    // Nearly every text is short and ASCII.
    if (text.size() <= bytes_max && std::all_of(text.begin(), text.end(), is_plain_ascii)) return;
    std::string clean;
    std::string_view rest{text};
    while (!rest.empty()) {
        const auto size = utf8_sequence_size(rest);
        const bool is_good = size != 0 && !is_control(rest.front());
        const auto piece = is_good ? rest.substr(0, size) : kReplacement;
        if (clean.size() + piece.size() > bytes_max) {
            note_loss();
            break;
        }
        clean += piece;
        rest.remove_prefix(std::max<std::size_t>(size, 1));
    }
    text = std::move(clean);
}

}  // namespace synapsex::inventory

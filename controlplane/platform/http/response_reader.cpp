#include "controlplane/platform/http/response_reader.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace synapsex::http {

namespace {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;

// About the connection (RFC 9110, 7.6.1), or written anew by the server that passes the answer on.
constexpr std::array kOwnFields{
    bhttp::field::connection,    bhttp::field::keep_alive, bhttp::field::transfer_encoding,
    bhttp::field::te,            bhttp::field::trailer,    bhttp::field::upgrade,
    bhttp::field::proxy_connection, bhttp::field::content_length, bhttp::field::date,
    bhttp::field::server,        bhttp::field::content_type,
};

}  // namespace

class ResponseReader::Impl {
 public:
    Impl(std::size_t head_bytes_max, std::size_t body_bytes_max) {
        parser.header_limit(static_cast<std::uint32_t>(head_bytes_max));
        parser.body_limit(body_bytes_max);
        parser.eager(true);
    }

    bhttp::response_parser<bhttp::string_body> parser{};
    std::string unread{};  // an unfinished line
};

ResponseReader::ResponseReader(std::size_t head_bytes_max, std::size_t body_bytes_max)
    : impl_(std::make_unique<Impl>(head_bytes_max, body_bytes_max)) {}

ResponseReader::~ResponseReader() = default;

ResponseReader::State ResponseReader::read(std::string_view bytes) {
    auto& parser = impl_->parser;
    auto& unread = impl_->unread;
    unread.append(bytes);
    while (!unread.empty() && !parser.is_done()) {
        boost::system::error_code error;
        const auto taken = parser.put(asio::buffer(unread), error);
        unread.erase(0, taken);
        if (error == bhttp::error::need_more) break;
        if (error) return State::bad;
    }
    if (!parser.is_done()) return State::more;
    // An interim answer is to something that is not sent.
    return unread.empty() && parser.get().result_int() >= 200 ? State::whole : State::bad;
}

ResponseReader::State ResponseReader::end() {
    boost::system::error_code error;
    if (impl_->parser.got_some()) impl_->parser.put_eof(error);
    return !error && impl_->parser.is_done() ? State::whole : State::more;
}

bool ResponseReader::has_begun() const {
    return impl_->parser.got_some() || !impl_->unread.empty();
}

bool ResponseReader::keeps_alive() const { return impl_->parser.get().keep_alive(); }

api::Reply ResponseReader::take_reply() {
    auto message = impl_->parser.release();
    const auto text = [](auto view) { return std::string{view.data(), view.size()}; };
    api::Reply reply{
        .status = static_cast<int>(message.result_int()),
        .content_type = text(message[bhttp::field::content_type]),
        .body = std::move(message.body()),
    };
    for (const auto& field : message)
        if (std::ranges::find(kOwnFields, field.name()) == kOwnFields.end())
            reply.headers.emplace_back(text(field.name_string()), text(field.value()));
    return reply;
}

}  // namespace synapsex::http

#include "controlplane/platform/http/request_parser.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <limits>
#include <utility>

namespace synapsex::http {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using beast::error_code;

constexpr std::size_t kFieldsMax = 100;
constexpr std::size_t kChunkExtensionBytesMax = 256;

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
    return std::ranges::equal(text, lower_case, {}, to_lower);
}

bool is_visible_ascii(char c) { return c > 0x20 && c < 0x7F; }

// Every first byte of a method is a token character; anything else (a TLS hello) is no HTTP.
bool may_start_method(char c) { return is_visible_ascii(c) && c != '"' && c != '(' && c != '{'; }

// uri-host [ ":" port ], loosely: no character that ends or starts another part of a URL.
bool is_host(std::string_view value) {
    return !value.empty() && std::ranges::all_of(value, [](char c) {
        return is_visible_ascii(c) && std::string_view{"/?#@\\\"<>^`{|},"}.find(c) ==
                                          std::string_view::npos;
    });
}

std::string_view to_std(beast::string_view text) { return {text.data(), text.size()}; }

// What the callbacks of Beast's parser find out about one message.
struct Findings {
    RequestHead* head = nullptr;
    std::string* body = nullptr;
    std::size_t fields = 0;
    int hosts = 0;
    int content_lengths = 0;
    int transfer_encodings = 0;
    bool is_http_1_0 = false;
    bool expects_continue = false;
    bool is_head_done = false;
    std::optional<Problem> problem{};
};

// One message. Beast's parsers cannot be used twice, so this is cheap to make: it owns nothing.
class MessageParser final : public bhttp::basic_parser<true> {
 public:
    explicit MessageParser(Findings& findings) : findings_(findings) {
        // The whole head is in memory and measured before Beast sees it.
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(boost::none);
    }

 private:
    void on_request_impl(
        bhttp::verb, beast::string_view method, beast::string_view target, int version,
        error_code& ec
    ) override {
        auto& head = *findings_.head;
        const auto text = to_std(target);
        if (text.front() != '/')
            return refuse("The request target is not an absolute path.", ec);
        if (!std::ranges::all_of(text, is_visible_ascii) || text.find('#') != text.npos)
            return refuse("The request target holds characters that have to be escaped.", ec);
        const auto question = text.find('?');
        head.method.assign(to_std(method));
        head.path.assign(text.substr(0, question));
        head.query.assign(question == text.npos ? std::string_view{} : text.substr(question + 1));
        findings_.is_http_1_0 = version == 10;
    }

    void on_field_impl(
        bhttp::field field, beast::string_view name, beast::string_view value, error_code& ec
    ) override {
        if (findings_.is_head_done) return;  // a trailer: nobody asked for one
        if (findings_.fields == kFieldsMax) {
            findings_.problem = Problem{
                Kind::header_too_large, "request.header_too_large",
                "The request has more than " + std::to_string(kFieldsMax) + " header fields."
            };
            ec = bhttp::error::header_limit;
            return;
        }
        check_framing(field, to_std(value), ec);
        if (!ec) keep_field(to_std(name), to_std(value));
    }

    void check_framing(bhttp::field field, std::string_view value, error_code& ec) {
        switch (field) {
            case bhttp::field::host:
                if (++findings_.hosts > 1) return refuse("Host stands more than once.", ec);
                if (!is_host(value)) return refuse("Host is not a host and port.", ec);
                break;
            case bhttp::field::content_length:
                if (++findings_.content_lengths > 1)
                    return refuse("Content-Length stands more than once.", ec);
                if (!std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; }))
                    return refuse("Content-Length is not one number.", ec);
                break;
            case bhttp::field::transfer_encoding:
                if (++findings_.transfer_encodings > 1)
                    return refuse("Transfer-Encoding stands more than once.", ec);
                if (findings_.is_http_1_0)
                    return refuse("Transfer-Encoding does not exist in HTTP/1.0.", ec);
                if (!equals_ignoring_case(value, "chunked"))
                    return refuse("The only Transfer-Encoding read here is chunked.", ec);
                break;
            case bhttp::field::expect:
                findings_.expects_continue = equals_ignoring_case(value, "100-continue");
                break;
            default: break;
        }
    }

    // Assigns over the strings of the request before, so a steady connection allocates nothing.
    void keep_field(std::string_view name, std::string_view value) {
        auto& headers = findings_.head->headers;
        if (findings_.fields == headers.size()) headers.emplace_back();
        auto& [kept_name, kept_value] = headers[findings_.fields++];
        kept_name.assign(name);
        std::ranges::transform(kept_name, kept_name.begin(), to_lower);
        kept_value.assign(value);
    }

    void on_header_impl(error_code& ec) override {
        findings_.is_head_done = true;
        findings_.head->headers.resize(findings_.fields);
        if (findings_.transfer_encodings > 0 && findings_.content_lengths > 0)
            return refuse("Content-Length and Transfer-Encoding exclude each other.", ec);
        if (findings_.hosts == 0 && !findings_.is_http_1_0) return refuse("Host is missing.", ec);
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(beast::string_view bytes, error_code&) override {
        findings_.body->append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_chunk_header_impl(
        std::uint64_t, beast::string_view extensions, error_code& ec
    ) override {
        // Beast lets control characters through inside quotes; a line feed there ends the line for
        // some other parsers.
        const bool is_plain = std::ranges::none_of(extensions, [](char c) {
            return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
        });
        if (!is_plain || extensions.size() > kChunkExtensionBytesMax)
            refuse("A chunk extension is too long or holds control characters.", ec);
    }
    std::size_t on_chunk_body_impl(
        std::uint64_t, beast::string_view bytes, error_code&
    ) override {
        findings_.body->append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_finish_impl(error_code&) override {}
    void on_response_impl(int, beast::string_view, int, error_code&) override {}

    void refuse(const char* detail, error_code& ec) {
        findings_.problem = malformed_request(detail);
        ec = bhttp::error::bad_value;
    }

    Findings& findings_;
};

}  // namespace

Problem malformed_request(std::string detail) {
    return Problem{Kind::invalid, "request.malformed", std::move(detail)};
}

Problem body_too_large(std::size_t bytes_max) {
    return Problem{
        Kind::too_large, "request.body_too_large",
        "The body may have at most " + std::to_string(bytes_max) + " bytes here."
    };
}

class RequestParser::Impl {
 public:
    void start() {
        message_.emplace(findings_);
        findings_ = Findings{};
        first_ = line_ = scanned_ = end_ = 0;
    }

    Result<bool> parse_head(std::string_view bytes, RequestHead& head) {
        SYNAPSEX_TRY(const bool is_whole, find_end(bytes));
        if (!is_whole) return false;
        findings_.head = &head;
        error_code ec;
        message_->put(boost::asio::buffer(bytes.data() + first_, end_ - first_), ec);
        if (ec || !message_->is_header_done()) return problem_of(ec);
        return true;
    }

    Result<Done> start_body(std::size_t bytes_max) {
        bytes_max_ = bytes_max;
        const auto length = message_->content_length();
        if (length && *length > bytes_max) return body_too_large(bytes_max);
        message_->body_limit(std::uint64_t{bytes_max});
        message_->eager(true);
        return Done{};
    }

    Result<std::size_t> parse_body(std::string_view bytes, std::string& body) {
        // Every chunked body ends with at least the five bytes of "0 CRLF CRLF"; given fewer on a
        // second call for the last chunk, Beast 1.81 fails an assertion.
        if (message_->chunked() && bytes.size() < 5) return std::size_t{0};
        findings_.body = &body;
        error_code ec;
        const auto taken = message_->put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
        if (ec == bhttp::error::body_limit) return body_too_large(bytes_max_);
        if (ec && ec != bhttp::error::need_more) return problem_of(ec);
        return taken;
    }

    const MessageParser& message() const { return *message_; }
    const Findings& findings() const { return findings_; }
    std::size_t head_bytes() const { return end_; }

 private:
    // Whether the empty line has come. Looks at each byte once, however slowly they arrive.
    Result<bool> find_end(std::string_view bytes) {
        if (!bytes.empty() && bytes.front() != '\r' && !may_start_method(bytes.front()))
            return malformed_request("This is no HTTP/1.1 request.");
        for (;;) {
            const auto newline = bytes.find('\n', scanned_);
            if (newline == bytes.npos) {
                scanned_ = bytes.size();
                return false;
            }
            scanned_ = newline + 1;
            if (newline == 0 || bytes[newline - 1] != '\r')
                return malformed_request("A line of the header does not end in CR LF.");
            if (line_ > first_ && (bytes[line_] == ' ' || bytes[line_] == '\t'))
                return malformed_request("A header field is folded over two lines.");
            const bool is_empty = newline == line_ + 1;
            line_ = scanned_;
            if (!is_empty) continue;
            if (newline != 1 || first_ != 0) {
                end_ = scanned_;
                return true;
            }
            first_ = scanned_;  // one empty line before a request is forgiven (RFC 9112, 2.2)
        }
    }

    Problem problem_of(const error_code& ec) {
        if (findings_.problem) return *std::exchange(findings_.problem, std::nullopt);
        return malformed_request("The request is not well formed: " + ec.message() + ".");
    }

    Findings findings_;
    std::optional<MessageParser> message_;
    std::size_t first_ = 0;    // of the request line
    std::size_t line_ = 0;     // start of the line being looked at
    std::size_t scanned_ = 0;  // what lies before needs no second look
    std::size_t end_ = 0;      // one past the empty line
    std::size_t bytes_max_ = 0;
};

RequestParser::RequestParser() : impl_(std::make_unique<Impl>()) { start(); }
RequestParser::~RequestParser() = default;

void RequestParser::start() { impl_->start(); }
Result<bool> RequestParser::parse_head(std::string_view bytes, RequestHead& head) {
    return impl_->parse_head(bytes, head);
}
std::size_t RequestParser::head_bytes() const { return impl_->head_bytes(); }
bool RequestParser::has_body() const { return !impl_->message().is_done(); }
std::optional<std::uint64_t> RequestParser::content_length() const {
    const auto length = impl_->message().content_length();
    return length ? std::optional<std::uint64_t>{*length} : std::nullopt;
}
bool RequestParser::keeps_alive() const { return impl_->message().keep_alive(); }
bool RequestParser::is_http_1_0() const { return impl_->findings().is_http_1_0; }
bool RequestParser::expects_continue() const {
    return impl_->findings().expects_continue && !is_http_1_0();
}
Result<Done> RequestParser::start_body(std::size_t bytes_max) {
    return impl_->start_body(bytes_max);
}
Result<std::size_t> RequestParser::parse_body(std::string_view bytes, std::string& body) {
    return impl_->parse_body(bytes, body);
}
bool RequestParser::is_complete() const { return impl_->message().is_done(); }

}  // namespace synapsex::http

#include "shared/net/curl_http_client.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <new>
#include <stdexcept>

#include <curl/curl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/net/curl_failure.hpp"
#include "shared/net/ip_address.hpp"
#include "shared/net/url_rules.hpp"

namespace synapsex::net {

namespace {

constexpr std::size_t kHeaderBytesMax = 64 * 1024;
constexpr long kReceiveBufferBytes = 16 * 1024;
constexpr long kUploadBufferBytes = 16 * 1024;
constexpr long kKeptConnectionsMax = 2;
constexpr long kKeepaliveSeconds = 30;

void initialise_curl_once() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
            throw std::runtime_error("libcurl cannot be initialised");
    });
}

struct CloseEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct CloseMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using TextList = std::unique_ptr<curl_slist, FreeList>;

void append(TextList& list, const std::string& line) {
    auto* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc{};
    list.release();
    list.reset(longer);
}

// What arrives while a transfer runs.
struct Reception {
    HttpResponse response;
    std::size_t header_bytes = 0;
    std::size_t body_bytes_max = 0;
    bool is_over_limit = false;
    const VettedTarget* target = nullptr;
    bool is_peer_refused = false;
    CURL* easy = nullptr;
    ConnectionRecord* record = nullptr;
};

void write_down_tls(CURL* easy, ConnectionRecord& record);

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Returning less than was given makes libcurl end the transfer with CURLE_WRITE_ERROR.
std::size_t on_body(const char* data, std::size_t, std::size_t size, void* context) {
    auto& reception = *static_cast<Reception*>(context);
    if (size > reception.body_bytes_max - reception.response.body.size()) {
        reception.is_over_limit = true;
        return 0;
    }
    reception.response.body.append(data, size);
    return size;
}

std::size_t on_header(const char* data, std::size_t, std::size_t size, void* context) {
    auto& reception = *static_cast<Reception*>(context);
    if (reception.record != nullptr && reception.header_bytes == 0)
        write_down_tls(reception.easy, *reception.record);
    reception.header_bytes += size;
    if (reception.header_bytes > kHeaderBytesMax) {
        reception.is_over_limit = true;
        return 0;
    }
    const std::string_view line{data, size};
    // A new status line: what came before belonged to an interim answer such as 100 Continue.
    if (line.starts_with("HTTP/")) {
        reception.response.headers.clear();
        return size;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    reception.response.headers.push_back(
        {std::string{line.substr(0, colon)}, std::string{trim(line.substr(colon + 1))}}
    );
    return size;
}

std::uint16_t port_of(const sockaddr& address) {
    // The port lies at the same place in sockaddr_in and sockaddr_in6.
    sockaddr_in whole{};
    std::memcpy(&whole, &address, sizeof whole);
    return ntohs(whole.sin_port);
}

// Called with the very address that libcurl is about to connect to: whatever led it there, a socket
// is made for a vetted one alone.
curl_socket_t on_open_socket(void* context, curlsocktype, curl_sockaddr* peer) {
    auto& reception = *static_cast<Reception*>(context);
    const auto address = IpAddress::from(peer->addr);
    if (!address || !reception.target->includes(*address, port_of(peer->addr))) {
        reception.is_peer_refused = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

// Refused by libcurls that speak TLS with another library than OpenSSL: then set() throws, and
// nothing is sent.
CURLcode on_ssl_context(CURL*, void* context, void* authorities) {
    auto* const judge = static_cast<PinnedAuthorities*>(authorities);
    judge->judge_handshakes_of(static_cast<SSL_CTX*>(context));
    return CURLE_OK;
}

CURLcode on_witnessed_context(CURL*, void* context, void* witness) {
    static_cast<HandshakeWitness*>(witness)->attend(static_cast<SSL_CTX*>(context));
    return CURLE_OK;
}

// libcurl tells the time of a connection only once TLS is done, too.
int on_close_socket(void* context, curl_socket_t socket) {
    auto& record = *static_cast<ConnectionRecord*>(context);
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    auto* const plain = reinterpret_cast<sockaddr*>(&peer);
    if (::getpeername(socket, plain, &size) == 0) record.is_connected = true;
    return ::close(socket);
}

std::optional<std::chrono::microseconds> time_until(CURL* easy, CURLINFO which) {
    curl_off_t micros = 0;
    if (curl_easy_getinfo(easy, which, &micros) != CURLE_OK || micros == 0) return std::nullopt;
    return std::chrono::microseconds{micros};
}

void write_down(CURL* easy, const HttpResponse& response, ConnectionRecord& record) {
    record.resolved_after = time_until(easy, CURLINFO_NAMELOOKUP_TIME_T);
    record.connected_after = time_until(easy, CURLINFO_CONNECT_TIME_T);
    record.secured_after = time_until(easy, CURLINFO_APPCONNECT_TIME_T);
    record.ended_after = time_until(easy, CURLINFO_TOTAL_TIME_T).value_or(record.ended_after);
    const char* address = nullptr;
    long number = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
    if (address != nullptr) record.address = address;
    if (record.connected_after || !record.chain.empty()) record.is_connected = true;
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &number);
    record.proxy_status = static_cast<int>(number);
    const auto* date = response.find_header("Date");
    const auto instant = date != nullptr ? curl_getdate(date->c_str(), nullptr) : -1;
    if (instant > 0) record.server_time = Timestamp{std::chrono::seconds{instant}};
}

// While the connection is there: as its first bytes come.
void write_down_tls(CURL* easy, ConnectionRecord& record) {
    curl_tlssessioninfo* session = nullptr;
    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK) return;
    if (session == nullptr || session->backend != CURLSSLBACKEND_OPENSSL) return;
    const auto* tls = static_cast<const SSL*>(session->internals);
    if (tls == nullptr) return;
    record.tls_version = SSL_get_version(tls);
    record.cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(tls));
}

Problem problem(Kind kind, std::string_view code, std::string detail) {
    return {.kind = kind, .code = std::string{code}, .detail = std::move(detail)};
}

Problem canceled() {
    return problem(Kind::unavailable, kCanceled, "The request was canceled.");
}

Problem failure_of(CURLcode result, long verdict, const Reception& reception, const char* text) {
    if (result == CURLE_OUT_OF_MEMORY) throw std::bad_alloc{};
    if (reception.is_over_limit)
        return problem(Kind::unavailable, kResponseTooLarge, "The answer is larger than allowed.");
    if (reception.is_peer_refused)
        return problem(
            Kind::internal, kAddressNotVetted,
            "The address to connect to is none of those that were vetted."
        );
    const auto name = failure_name_of(result, verdict);
    return problem(name.kind, name.code, *text != '\0' ? text : curl_easy_strerror(result));
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
    if (curl_easy_setopt(easy, option, value) != CURLE_OK)
        throw std::runtime_error("libcurl refuses option " + std::to_string(option));
}

// The library that runs may be older than the one compiled against, down to Ubuntu 22.04's 7.81:
// what it does not know has an older way, or is left out.
bool set_if_known(CURL* easy, CURLoption option, auto value) {
    const auto result = curl_easy_setopt(easy, option, value);
    if (result == CURLE_OK) return true;
    if (result == CURLE_UNKNOWN_OPTION) return false;
    throw std::runtime_error("libcurl refuses option " + std::to_string(option));
}

void allow_http_alone(CURL* easy) {
    if (set_if_known(easy, CURLOPT_PROTOCOLS_STR, "http,https")) return;  // since 7.85
    CURL_IGNORE_DEPRECATION(
        set(easy, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    )
}

void set_method(CURL* easy, const HttpRequest& request) {
    if (request.method == "HEAD") {
        set(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (!request.body.empty() || request.method != "GET") {
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

TextList header_lines(const HttpRequest& request) {
    TextList list;
    // No "Expect: 100-continue": it costs a round trip and some proxies answer it wrongly. No
    // default Content-Type: a form is what libcurl would claim.
    append(list, "Expect:");
    bool has_content_type = false;
    for (const auto& header : request.headers) {
        has_content_type = has_content_type || header.name == "Content-Type";
        append(list, header.name + ": " + header.value);
    }
    if (!has_content_type) append(list, "Content-Type:");
    return list;
}

// Nothing goes to a server whose certificate may have expired that a thief of it could use.
bool is_fit_for_anybody(const HttpRequest& request) {
    return std::ranges::all_of(request.headers, [](const HttpHeader& header) {
        return header.name == "Content-Type";
    });
}

// A header with a line break would be two headers.
bool has_line_break(const HttpRequest& request) {
    for (const auto& header : request.headers)
        if ((header.name + header.value).find_first_of("\r\n") != std::string::npos) return true;
    return request.method.find_first_of(" \r\n") != std::string::npos;
}

}  // namespace

class CurlHttpClient::Impl {
 public:
    explicit Impl(CurlOptions options)
        : options_(std::move(options)) {
        initialise_curl_once();
        open();
    }

    // Kept connections were made under another trust.
    void pin_authorities(std::vector<std::string> pins) {
        open();
        authorities_.emplace(std::move(pins), options_.now);
    }
    std::vector<std::string> pinned_authorities() const {
        return authorities_ ? authorities_->pins() : std::vector<std::string>{};
    }

    Result<HttpResponse> send(const HttpRequest& request) {
        if (request.target && !request.url.empty())
            return problem(Kind::invalid, kInvalidUrl, "A request has a URL or a vetted target.");
        if (!request.target) SYNAPSEX_CHECK(check_url(request.url));
        if (has_line_break(request))
            return problem(Kind::invalid, kProtocolError, "A header holds a line break.");
        const bool is_timeless = request.validity == Validity::unchecked;
        if (is_timeless && (!authorities_ || !is_fit_for_anybody(request)))
            return problem(
                Kind::invalid, kProtocolError,
                "Without looking at the time only a pinned authority's server is asked, with no "
                "header but Content-Type."
            );
        Reception reception;
        reception.body_bytes_max = request.response_bytes_max;
        const auto headers = header_lines(request);
        prepare(request, headers.get(), reception);
        pin(request.target, reception);
        if (options_.record != nullptr) witness(reception);

        if (curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK)
            throw std::runtime_error("libcurl does not take the request");
        const auto result = run();
        curl_multi_remove_handle(multi_.get(), easy_.get());
        if (options_.record != nullptr)
            write_down(easy_.get(), reception.response, *options_.record);

        if (!result) return canceled();
        if (*result != CURLE_OK) {
            long verdict = 0;
            curl_easy_getinfo(easy_.get(), CURLINFO_SSL_VERIFYRESULT, &verdict);
            if (authorities_ && authorities_->refusal()) return *authorities_->refusal();
            return failure_of(*result, verdict, reception, error_text_);
        }
        if (is_timeless) reception.response.authorities = authorities_->take_shown();
        else if (authorities_) authorities_->accept_handshake();
        long status = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
        reception.response.status = static_cast<int>(status);
        return std::move(reception.response);
    }

    void cancel() {
        is_canceled_ = true;
        curl_multi_wakeup(multi_.get());
    }
    void resume() { is_canceled_ = false; }

 private:
    void open() {
        easy_.reset();
        multi_.reset(curl_multi_init());
        easy_.reset(curl_easy_init());
        if (!multi_ || !easy_) throw std::bad_alloc{};
        curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kKeptConnectionsMax);
    }

    void prepare(const HttpRequest& request, curl_slist* headers, Reception& reception) {
        CURL* easy = easy_.get();
        curl_easy_reset(easy);  // options only: connections and TLS sessions stay
        error_text_[0] = '\0';
        set(easy, CURLOPT_ERRORBUFFER, &error_text_[0]);
        const auto& url = request.target ? request.target->url() : request.url;
        set(easy, CURLOPT_URL, url.c_str());
        allow_http_alone(easy);
        set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        set(easy, CURLOPT_FOLLOWLOCATION, 0L);
        set(easy, CURLOPT_NOSIGNAL, 1L);
        set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
        set(easy, CURLOPT_TCP_KEEPIDLE, kKeepaliveSeconds);
        set(easy, CURLOPT_TCP_KEEPINTVL, kKeepaliveSeconds);
        set(easy, CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
        set(easy, CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
        set(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
        set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
        set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
        set(easy, CURLOPT_HTTPHEADER, headers);
        set(easy, CURLOPT_WRITEFUNCTION, &on_body);
        set(easy, CURLOPT_WRITEDATA, &reception);
        set(easy, CURLOPT_HEADERFUNCTION, &on_header);
        set(easy, CURLOPT_HEADERDATA, &reception);
#if LIBCURL_VERSION_NUM >= 0x075700
        // A look-up that hangs must not hold up a canceled request: its thread is left behind.
        set_if_known(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
        if (options_.proxy == ProxyUse::never || request.target) set(easy, CURLOPT_PROXY, "");
        if (authorities_) {
            authorities_->begin_request(request.validity);
            set(easy, CURLOPT_CAINFO, static_cast<const char*>(nullptr));
            set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
            set(easy, CURLOPT_SSL_CTX_FUNCTION, &on_ssl_context);
            set(easy, CURLOPT_SSL_CTX_DATA, &*authorities_);
        } else if (!options_.ca_file.empty()) {
            set(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
            set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
        }
        if (request.validity == Validity::unchecked) {
            // Neither is judged again where it is used again.
            set(easy, CURLOPT_FRESH_CONNECT, 1L);
            set(easy, CURLOPT_FORBID_REUSE, 1L);
            set(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
        }
        set_method(easy, request);
    }

    void witness(Reception& reception) {
        *options_.record = {};
        reception.easy = easy_.get();
        reception.record = options_.record;
        witness_.emplace(*options_.record, authorities_ ? &*authorities_ : nullptr);
        set(easy_.get(), CURLOPT_SSL_CTX_FUNCTION, &on_witnessed_context);
        set(easy_.get(), CURLOPT_SSL_CTX_DATA, &*witness_);
        set(easy_.get(), CURLOPT_CLOSESOCKETFUNCTION, &on_close_socket);
        set(easy_.get(), CURLOPT_CLOSESOCKETDATA, options_.record);
    }

    // libcurl keeps a pinned name in its cache for ever: each request begins with forgetting it.
    void pin(const std::optional<VettedTarget>& target, Reception& reception) {
        CURL* easy = easy_.get();
        pins_.reset();
        if (!pinned_name_.empty()) append(pins_, "-" + pinned_name_);
        pinned_name_.clear();
        if (target) {
            if (!IpAddress::parse(target->host())) append(pins_, pin_line(*target));
            reception.target = &*target;
            set(easy, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
            set(easy, CURLOPT_OPENSOCKETDATA, &reception);
            // A kept connection goes where an earlier judgement let it go.
            set(easy, CURLOPT_FRESH_CONNECT, 1L);
            set(easy, CURLOPT_FORBID_REUSE, 1L);
        }
        set(easy, CURLOPT_RESOLVE, pins_.get());
    }

    std::string pin_line(const VettedTarget& target) {
        pinned_name_ = target.host() + ":" + std::to_string(target.port());
        std::string addresses;
        for (const auto& address : target.addresses())
            addresses += (addresses.empty() ? "" : ",") +
                         (address.is_v4() ? address.text() : "[" + address.text() + "]");
        return pinned_name_ + ":" + addresses;
    }

    // The transfer's result, or nothing if it was canceled.
    std::optional<CURLcode> run() {
        constexpr int kPollMilliseconds = 60'000;  // libcurl shortens it to its own next timeout
        while (!is_canceled_) {
            int running = 0;
            curl_multi_perform(multi_.get(), &running);
            int queued = 0;
            while (const auto* message = curl_multi_info_read(multi_.get(), &queued))
                if (message->msg == CURLMSG_DONE) return message->data.result;
            curl_multi_poll(multi_.get(), nullptr, 0, kPollMilliseconds, nullptr);
        }
        return std::nullopt;
    }

    const CurlOptions options_;
    std::optional<PinnedAuthorities> authorities_;
    std::optional<HandshakeWitness> witness_;
    // The easy handle goes first: closing it uses the connections that the multi handle owns.
    std::unique_ptr<CURLM, CloseMulti> multi_;
    std::unique_ptr<CURL, CloseEasy> easy_;
    TextList pins_;
    std::string pinned_name_;  // "host:port" in libcurl's cache
    char error_text_[CURL_ERROR_SIZE] = {};
    std::atomic<bool> is_canceled_{false};
};

CurlHttpClient::CurlHttpClient(CurlOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
CurlHttpClient::~CurlHttpClient() = default;

Result<HttpResponse> CurlHttpClient::send(const HttpRequest& request) {
    return impl_->send(request);
}
void CurlHttpClient::pin_authorities(std::vector<std::string> pins) {
    impl_->pin_authorities(std::move(pins));
}
std::vector<std::string> CurlHttpClient::pinned_authorities() const {
    return impl_->pinned_authorities();
}
void CurlHttpClient::cancel() { impl_->cancel(); }
void CurlHttpClient::resume() { impl_->resume(); }

}  // namespace synapsex::net

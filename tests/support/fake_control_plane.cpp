#include "tests/support/fake_control_plane.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "agent/v1/agent.pb.h"
#include "shared/base/time.hpp"
#include "shared/crypto/agent_statements.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::testing {

namespace {

constexpr const char* kEnrolled = R"({"agentId":"agt_01hv3x8k2m4n6p8q0r2s4t6v8w",
    "vmId":"vm_01hv3x8k2m4n6p8q0r2s4t6v8w","tenantId":"ten_01hv3x8k2m4n6p8q0r2s4t6v8w",
    "serverIncarnation":"inc-1","issuer":"https://issuer.test"})";

std::string gunzip(const std::string& bytes) {
    z_stream stream{};
    if (inflateInit2_(&stream, 31, ZLIB_VERSION, sizeof(z_stream)) != Z_OK)
        throw std::runtime_error("zlib");
    std::string out(1024 * 1024, '\0');
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int ended = inflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    if (ended != Z_STREAM_END) throw std::runtime_error("the body is not gzip");
    return out;
}

// Reads until `buffer` holds `size` bytes or the peer has gone.
bool fill(int socket, std::string& buffer, std::size_t size) {
    std::array<char, 16 * 1024> block{};
    while (buffer.size() < size) {
        const auto count = ::recv(socket, block.data(), block.size(), 0);
        if (count <= 0) return false;
        buffer.append(block.data(), static_cast<std::size_t>(count));
    }
    return true;
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

FakeControlPlane::Request parse_head(const std::string& head) {
    FakeControlPlane::Request request;
    const auto first_space = head.find(' ');
    const auto second_space = head.find(' ', first_space + 1);
    request.method = head.substr(0, first_space);
    request.path = head.substr(first_space + 1, second_space - first_space - 1);
    for (auto at = head.find("\r\n"); at + 2 < head.size();) {
        const auto end = head.find("\r\n", at + 2);
        const auto line = head.substr(at + 2, end - at - 2);
        const auto colon = line.find(": ");
        if (colon != std::string::npos)
            request.headers[lower(line.substr(0, colon))] = line.substr(colon + 2);
        at = end;
    }
    return request;
}

// nullopt once the connection has ended.
std::optional<FakeControlPlane::Request> read_request(int socket, std::string& buffer) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
        if (!fill(socket, buffer, buffer.size() + 1)) return std::nullopt;
    auto request = parse_head(buffer.substr(0, end + 2));
    buffer.erase(0, end + 4);
    const auto length = request.headers.find("content-length");
    const std::size_t size = length == request.headers.end() ? 0 : std::stoul(length->second);
    if (!fill(socket, buffer, size)) return std::nullopt;
    request.body = buffer.substr(0, size);
    buffer.erase(0, size);
    if (request.headers.contains("content-encoding")) request.body = gunzip(request.body);
    return request;
}

std::string text_of(const FakeControlPlane::Answer& answer) {
    std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Status\r\n";
    for (const auto& header : answer.headers) text += header + "\r\n";
    text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n";
    return text + answer.body;
}

}  // namespace

FakeControlPlane::FakeControlPlane(int port) : port_(port) { start(); }

FakeControlPlane::~FakeControlPlane() { stop(); }

void FakeControlPlane::start() {
    is_stopping_ = false;
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 16) != 0)
        throw std::runtime_error("the fake control plane cannot listen");
    ::getsockname(listener_, plain, &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_connections(); }};
}

void FakeControlPlane::stop() {
    std::list<Connection> connections;
    {
        const std::lock_guard lock{mutex_};
        if (is_stopping_) return;
        is_stopping_ = true;
        ::shutdown(listener_, SHUT_RDWR);
        for (auto& connection : connections_) ::shutdown(connection.socket, SHUT_RDWR);
    }
    changed_.notify_all();
    acceptor_.join();
    {
        const std::lock_guard lock{mutex_};
        connections.swap(connections_);
        for (auto& connection : connections) ::shutdown(connection.socket, SHUT_RDWR);
    }
    for (auto& connection : connections) {
        connection.thread.join();
        ::close(connection.socket);
    }
    ::close(listener_);
}

void FakeControlPlane::accept_connections() {
    while (true) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) return;
        const std::lock_guard lock{mutex_};
        connections_.push_back({socket, std::thread{[this, socket] { serve(socket); }}});
    }
}

void FakeControlPlane::serve(int socket) {
    std::string buffer;
    while (const auto request = read_request(socket, buffer)) {
        const auto text = text_of(answer(*request));
        changed_.notify_all();
        if (::send(socket, text.data(), text.size(), MSG_NOSIGNAL) < 0) break;
    }
    ::shutdown(socket, SHUT_RDWR);
}

FakeControlPlane::Answer FakeControlPlane::answer(const Request& request) {
    std::unique_lock lock{mutex_};
    if (script_)
        if (auto scripted = script_(request)) return *std::move(scripted);
    if (request.path == "/v1/agents/enroll") {
        if (request.body.find(kToken) == std::string::npos)
            return {401, R"({"code":"enrollment.token_unknown","detail":"No such token."})"};
        ++enrollments_;
        const std::string member = "\"publicKey\":\"";
        const auto start = request.body.find(member) + member.size();
        public_key_ = crypto::from_base64url(request.body.substr(start, 43)).value();
        return {201, kEnrolled};
    }
    if (request.path == "/v1/auth/token") {
        const auto token = "token-" + std::to_string(++tokens_given_);
        return {
            200, R"({"access_token":")" + token + R"(","token_type":"bearer","expires_in":900})"};
    }
    const auto bearer = request.headers.find("authorization");
    const std::string prefix = "Bearer token-";
    if (bearer == request.headers.end() || !bearer->second.starts_with(prefix) ||
        std::stoi(bearer->second.substr(prefix.size())) < first_valid_token_)
        return {401, R"({"code":"auth.token_invalid","detail":"The token is not valid."})"};
    if (request.path.ends_with("/heartbeat")) return answer_heartbeat(request, lock);
    const auto section = request.path.substr(request.path.rfind('/') + 1);
    if (section == "key") {
        sections_[section] = request.body;
        is_key_wanted_ = false;
        return {204};
    }
    return take_section(section, request.body);
}

FakeControlPlane::Answer FakeControlPlane::take_section(
    const std::string& section, const std::string& body
) {
    synapsex::agent::v1::SignedSection message;
    if (!message.ParseFromString(body)) throw std::runtime_error("no SignedSection");
    const auto statement = crypto::statement_of(crypto::SectionReport{
        kAgentId, section, message.signed_at_us(), message.content()
    });
    if (!crypto::verify_ed25519(public_key_, statement, message.signature()))
        return {422, R"({"code":"inventory.signature_invalid","detail":"Not its key."})"};
    sections_[section] = message.content();
    std::erase(want_sections_, section);
    return {204};
}

FakeControlPlane::Answer FakeControlPlane::answer_heartbeat(
    const Request& request, std::unique_lock<std::mutex>& lock
) {
    remember(request.body);
    const auto stored_through = stored_slots_.empty() ? 0 : *stored_slots_.rbegin();
    const auto hold = want_sections_.empty() ? heartbeats_.back().hold_seconds : 0;
    changed_.notify_all();
    const auto reason = wait_for_hold(hold, lock);
    synapsex::agent::v1::HeartbeatAnswer message;
    message.set_server_time_us(to_micros(SystemClock{}.now()));
    message.set_server_incarnation(incarnation_);
    message.set_stored_through_slot(stored_through);
    for (const auto& section : want_sections_) message.add_want_sections(section);
    message.set_hold_seconds(55);
    message.set_rotate_key(is_key_wanted_);
    message.set_reason(reason);
    return {200, message.SerializeAsString()};
}

void FakeControlPlane::remember(const std::string& body) {
    synapsex::agent::v1::HeartbeatRequest message;
    if (!message.ParseFromString(body)) throw std::runtime_error("not a heartbeat");
    SeenHeartbeat seen{
        .sequence = message.sequence(),
        .hold_seconds = message.hold_seconds(),
        .slots = {},
        .hashes = {},
        .capabilities = {message.capabilities().begin(), message.capabilities().end()},
        .goodbye = message.goodbye(),
        .executor = message.executor(),
    };
    if (message.has_pause()) seen.pause_reason = message.pause().reason();
    for (const auto& sample : message.telemetry()) {
        seen.slots.push_back(sample.slot());
        stored_slots_.insert(sample.slot());
    }
    for (const auto& hash : message.hashes()) seen.hashes[hash.section()] = hash.hash();
    heartbeats_.push_back(std::move(seen));
}

std::string FakeControlPlane::wait_for_hold(
    std::uint32_t seconds, std::unique_lock<std::mutex>& lock
) {
    release_reason_.clear();
    const auto hold = std::min<std::chrono::milliseconds>(std::chrono::seconds{seconds}, hold_max_);
    const bool is_released = changed_.wait_for(lock, hold, [&] {
        return !release_reason_.empty() || is_stopping_;
    });
    return is_released && !is_stopping_ ? release_reason_ : "timeout";
}

void FakeControlPlane::set_script(Script script) {
    const std::lock_guard lock{mutex_};
    script_ = std::move(script);
}

void FakeControlPlane::set_hold_max(std::chrono::milliseconds time) {
    const std::lock_guard lock{mutex_};
    hold_max_ = time;
}

void FakeControlPlane::release_hold(std::string reason) {
    const std::lock_guard lock{mutex_};
    release_reason_ = std::move(reason);
    changed_.notify_all();
}

void FakeControlPlane::set_want_sections(std::vector<std::string> sections) {
    const std::lock_guard lock{mutex_};
    want_sections_ = std::move(sections);
}

void FakeControlPlane::set_incarnation(std::string incarnation) {
    const std::lock_guard lock{mutex_};
    incarnation_ = std::move(incarnation);
}

void FakeControlPlane::want_another_key() {
    const std::lock_guard lock{mutex_};
    is_key_wanted_ = true;
}

void FakeControlPlane::revoke_tokens() {
    const std::lock_guard lock{mutex_};
    first_valid_token_ = tokens_given_ + 1;
}

bool FakeControlPlane::wait_until(
    const std::function<bool(const FakeControlPlane&)>& condition, std::chrono::milliseconds timeout
) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, timeout, [&] { return condition(*this); });
}

}  // namespace synapsex::testing

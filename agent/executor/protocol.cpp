#include "agent/executor/protocol.hpp"

#include <algorithm>

#include "agent/v1/executor.pb.h"

namespace synapsex::executor {

namespace {
constexpr std::size_t kSizeBytes = 4;
}

std::string encode_request(Verb verb) {
    v1::Request request;
    switch (verb) {
        case Verb::status: request.mutable_status(); break;
        case Verb::restart_worker: request.mutable_restart_worker(); break;
    }
    return request.SerializeAsString();
}

std::optional<Verb> decode_request(std::string_view bytes) {
    v1::Request request;
    if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
    switch (request.verb_case()) {
        case v1::Request::kStatus: return Verb::status;
        case v1::Request::kRestartWorker: return Verb::restart_worker;
        case v1::Request::VERB_NOT_SET: return std::nullopt;
    }
    return std::nullopt;
}

std::string encode_answer(const Answer& answer) {
    v1::Answer message;
    message.set_error_code(answer.error_code);
    message.set_error_detail(answer.error_detail);
    if (answer.status) {
        auto* status = message.mutable_status();
        status->set_version(answer.status->version);
        status->set_pid(answer.status->pid);
        status->set_started_at_us(answer.status->started_at_us);
        status->set_privileged(answer.status->is_privileged);
        status->set_worker_pid(answer.status->worker_pid);
        status->set_worker_restarts(answer.status->worker_restarts);
    }
    return message.SerializeAsString();
}

std::optional<Answer> decode_answer(std::string_view bytes) {
    v1::Answer message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
    Answer answer{.error_code = message.error_code(), .error_detail = message.error_detail()};
    if (message.has_status())
        answer.status = Status{
            .version = message.status().version(),
            .pid = message.status().pid(),
            .started_at_us = message.status().started_at_us(),
            .is_privileged = message.status().privileged(),
            .worker_pid = message.status().worker_pid(),
            .worker_restarts = message.status().worker_restarts(),
        };
    return answer;
}

std::string make_frame(std::string_view message) {
    std::string frame;
    for (std::size_t i = 0; i < kSizeBytes; ++i)
        frame += static_cast<char>((message.size() >> (8 * i)) & 0xFF);
    return frame.append(message);
}

FrameReader::State FrameReader::add(std::string_view bytes) {
    const auto head = std::min(kSizeBytes - size_bytes_.size(), bytes.size());
    size_bytes_.append(bytes.substr(0, head));
    bytes.remove_prefix(head);
    if (size_bytes_.size() < kSizeBytes) return State::incomplete;
    size_ = 0;
    for (std::size_t i = kSizeBytes; i-- > 0;)
        size_ = size_ << 8 | static_cast<unsigned char>(size_bytes_[i]);
    if (size_ > kFrameBytesMax) return State::too_large;
    message_.append(bytes.substr(0, size_ - message_.size()));
    return message_.size() == size_ ? State::complete : State::incomplete;
}

}  // namespace synapsex::executor

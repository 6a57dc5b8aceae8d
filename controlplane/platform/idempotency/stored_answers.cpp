#include "controlplane/platform/idempotency/stored_answers.hpp"

#include <stdexcept>

#include "controlplane/platform/api/router.hpp"
#include "controlplane/platform/idempotency/answer_store.hpp"
#include "controlplane/platform/idempotency/sealed_reply.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::idempotency {

namespace {

constexpr std::int64_t kPruneBatch = 500;
constexpr db::SystemScope kPrune{"idempotency.prune"};

Problem in_flight() {
    return {
        .kind = Kind::conflict,
        .code = "idempotency_key.in_flight",
        .detail = "The first request with this Idempotency-Key is still at work; ask again soon.",
        .retry_after = std::chrono::seconds{1},
    };
}

Problem reused() {
    return {
        Kind::unprocessable, "idempotency_key.reused",
        "This Idempotency-Key came with another request before. Take a new one for each thing to "
        "be done."
    };
}

// Undoes a write whose answer another request with the key has stored meanwhile; nobody sees it.
Problem answered_meanwhile() {
    return {Kind::conflict, "idempotency_key.answered", "Another request was first."};
}

std::string principal_of(const Principal& principal) {
    switch (principal.kind) {
        case PrincipalKind::user:
            return principal.user.text();  // whichever session it is of
        case PrincipalKind::agent:
            return principal.agent.text();
        default:
            return principal.credential_id;
    }
}

// Each part with its length before it, so that no two lists of parts make one text.
void append(std::string& text, std::string_view part) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
}

// With the key in it, so that nobody can find a guessable body by its hash.
std::string hash_of(std::string_view key, const api::RequestParts& parts) {
    std::string text;
    append(text, key);
    for (const auto* parameters : {&parts.path, &parts.query}) {
        append(text, std::to_string(parameters->size()));
        for (const auto& [name, value] : *parameters) {
            append(text, name);
            append(text, value);
        }
    }
    append(text, parts.media_type);
    append(text, parts.body);
    return crypto::sha256_hex(text);
}

}  // namespace

// A request with a key, as the store knows it.
class StoredAnswers::Request {
 public:
    Request(const Call& call, const api::OperationInfo& operation, const api::RequestParts& parts)
        : key{*parts.idempotency_key},
          place{
              call.tenant, principal_of(*call.principal), std::string{operation.id},
              crypto::sha256_hex("idempotency-key:" + key)
          },
          hash{hash_of(key, parts)} {
        append(text, place.tenant_id.text());
        append(text, place.principal);
        append(text, place.operation);
        append(text, place.key_hash);
    }

    const std::string key;
    const AnswerPlace place;
    const std::string hash;
    std::string text;  // the place, as one text
};

// Stores the answer with what the operation's write made.
class StoredAnswers::Recording final : public db::Effect {
 public:
    Recording(
        const Request& request, const api::OperationInfo& operation,
        const api::AnswerEncoder& encoder, Random& random
    )
        : request_(request), operation_(operation), encoder_(encoder), random_(random) {}

    Result<Done> record(db::Session& session, const db::Made& made) override {
        if (made.type != encoder_.type) return Done{};
        const auto reply = encoder_.encode(operation_, made.value);
        const AnswerRow row{
            request_.hash, reply.status, seal_reply(reply, request_.key, request_.text, random_)
        };
        if (!AnswerStore{session}.insert(request_.place, row, kAnswersKeptFor))
            return answered_meanwhile();
        is_recorded_ = true;
        return Done{};
    }

    bool is_recorded() const { return is_recorded_; }

 private:
    const Request& request_;
    const api::OperationInfo& operation_;
    const api::AnswerEncoder& encoder_;
    Random& random_;
    bool is_recorded_ = false;
};

// That no other request with the key runs in this process meanwhile.
class StoredAnswers::Turn {
 public:
    Turn(StoredAnswers& answers, const std::string& text) : answers_(answers), text_(text) {
        const std::lock_guard lock{answers_.mutex_};
        is_ours_ = answers_.running_.insert(text_).second;
    }
    ~Turn() {
        if (!is_ours_) return;
        const std::lock_guard lock{answers_.mutex_};
        answers_.running_.erase(text_);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    bool is_ours() const { return is_ours_; }

 private:
    StoredAnswers& answers_;
    const std::string& text_;
    bool is_ours_ = false;
};

StoredAnswers::StoredAnswers(
    db::Database& database, Random& random, Metrics& metrics, const std::string& name
)
    : database_(database),
      random_(random),
      stored_(metrics.counter(
          "synapsex_idempotency_stored_total", "Answers stored under an Idempotency-Key.",
          {{"database", name}}
      )),
      replayed_(metrics.counter(
          "synapsex_idempotency_replayed_total", "Requests that got an earlier one's answer.",
          {{"database", name}}
      )),
      refused_(metrics.counter(
          "synapsex_idempotency_refused_total",
          "Requests whose Idempotency-Key was in flight or came with another request before.",
          {{"database", name}}
      )) {}

api::Outcome StoredAnswers::once(
    const Call& call,
    const api::OperationInfo& operation,
    const api::RequestParts& parts,
    const api::AnswerEncoder& encoder,
    const std::function<api::Outcome(const Call&)>& run
) {
    // Nobody in particular has no keys of their own.
    if (call.principal->kind == PrincipalKind::anonymous) return run(call);
    const Request request{call, operation, parts};
    const Turn turn{*this, request.text};
    if (!turn.is_ours()) {
        refused_.add();
        return api::problem_reply(in_flight(), call.request_id);
    }
    if (auto earlier = find(call, request)) return *std::move(earlier);
    Recording recording{request, operation, encoder, random_};
    Call recorded = call;
    recorded.effect = &recording;
    auto outcome = run(recorded);
    if (std::get<api::Reply>(outcome).status < 400) {
        if (!recording.is_recorded())
            throw std::logic_error(
                "operation " + std::string{operation.id} + ": no write returned its answer"
            );
        stored_.add();
        return outcome;
    }
    // Another replica may have been at the same request, and first.
    if (auto earlier = find(call, request)) return *std::move(earlier);
    return outcome;
}

std::optional<api::Reply> StoredAnswers::find(const Call& call, const Request& request) {
    using Found = std::optional<AnswerRow>;
    const auto row = database_.read(call, [&](db::Session& session) -> Result<Found> {
        return AnswerStore{session}.find(request.place);
    });
    if (!row) return api::problem_reply(row.error(), call.request_id);
    if (!*row) return std::nullopt;
    if ((*row)->request_hash != request.hash) {
        refused_.add();
        return api::problem_reply(reused(), call.request_id);
    }
    auto reply = open_reply((*row)->answer, request.key, request.text);
    reply.status = static_cast<int>((*row)->status);
    reply.headers.emplace_back("Idempotent-Replayed", "true");
    replayed_.add();
    return reply;
}

Result<Done> StoredAnswers::prune(const Call& call, const Clock& clock) {
    const auto prune_batch = [](db::Session& session) -> Result<std::int64_t> {
        return AnswerStore{session}.prune(kPruneBatch);
    };
    while (!call.deadline.is_expired(clock)) {
        SYNAPSEX_TRY(const auto pruned, database_.write(kPrune, call, prune_batch));
        if (pruned < kPruneBatch) break;
    }
    return Done{};
}

}  // namespace synapsex::idempotency

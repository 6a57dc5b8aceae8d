#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "controlplane/platform/db/database.hpp"

namespace synapsex::testing {

// A database whose writes fail when a test says so. Any thread.
class BreakableDatabase final : public db::Database {
 public:
    explicit BreakableDatabase(db::Database& inner) : inner_(inner) {}

    void prepare_all(std::span<const db::Query* const> queries) override {
        inner_.prepare_all(queries);
    }
    bool is_healthy() override { return !is_broken; }
    void change_schema(const std::function<void(db::SchemaChange&)>& change) override {
        inner_.change_schema(change);
    }

    // Writes throw, as on a full disk.
    std::atomic<bool> is_broken = false;
    // Writes run to their end, and are then undone and answered database.busy.
    std::atomic<bool> is_commit_refused = false;
    // Called once, by a write that has run to its end and is not committed yet. One thread.
    std::function<void()> before_commit;

 protected:
    std::optional<Problem> read_erased(const Caller& caller, const Body& body) override {
        const auto fn = [&](db::Session& session) { return run(body, session); };
        return outcome_of(inner_.read(caller.scope, caller.call, fn));
    }
    std::optional<Problem> write_erased(const Caller& caller, const Body& body) override {
        if (is_broken) throw db::DatabaseError("the disk is full");
        const auto fn = [&](db::Session& session) -> Result<Done> {
            const auto done = run(body, session);
            if (before_commit) std::exchange(before_commit, nullptr)();
            if (is_commit_refused) return db::busy("The commit is refused.");
            return done;
        };
        return outcome_of(inner_.write(caller.scope, caller.call, fn));
    }

 private:
    static constexpr std::string_view kUndone = "test.undone";

    static Result<Done> run(const Body& body, db::Session& session) {
        if (body(session)) return Done{};
        return Problem{Kind::internal, std::string{kUndone}, "The closure wants it undone."};
    }
    static std::optional<Problem> outcome_of(const Result<Done>& inner) {
        if (inner || inner.error().code == kUndone) return std::nullopt;
        return inner.error();
    }

    db::Database& inner_;
};

}  // namespace synapsex::testing

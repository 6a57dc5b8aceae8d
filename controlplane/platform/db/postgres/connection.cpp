#include "controlplane/platform/db/postgres/connection.hpp"

#include "controlplane/platform/db/postgres/raw_connection.hpp"

namespace synapsex::db {

namespace {

std::string begin_text(const PostgresTransaction& wish) {
    std::string text = "BEGIN ISOLATION LEVEL ";
    // A schema is changed under a lock; what was committed while waiting for it has to be seen.
    if (wish.role == PostgresRole::owner || wish.isolation == Isolation::claims)
        text += "READ COMMITTED";
    else
        text += wish.is_read_only ? "REPEATABLE READ READ ONLY" : "SERIALIZABLE";
    if (wish.statement_time_max.count() > 0) {
        const auto limit = std::to_string(wish.statement_time_max.count());
        text += "; SET LOCAL statement_timeout = " + limit +
                "; SET LOCAL idle_in_transaction_session_timeout = " + limit;
    }
    if (wish.role == PostgresRole::system) text += "; SET LOCAL ROLE synapsex_system";
    if (wish.role == PostgresRole::tenant)  // an id holds nothing that would need quoting
        text += "; SET LOCAL ROLE synapsex_tenant; SET LOCAL synapsex.tenant_id = '" +
                wish.tenant.text() + "'";
    return text;
}

}  // namespace

class PostgresConnection::Impl {
 public:
    Impl(const std::string& url, const Clock& clock, PostgresWatchdog& watchdog)
        : raw(url), socket(watchdog, raw.connection.sock()), clock_(clock) {}

    void open(std::chrono::milliseconds limit) {
        time_max = limit;
        expect_end();
        transaction.emplace(raw.connection);
        session.emplace(*transaction, clock_);
    }
    void expect_end() {
        if (time_max.count() > 0) socket.expect_end_within(time_max);
    }
    void close() {
        session.reset();
        transaction.reset();
        socket.expect_nothing();
    }

    RawConnection raw;
    WatchedSocket socket;
    std::chrono::milliseconds time_max{0};
    // libpqxx's word for "no transaction of its making": ours is begun with its settings in one
    // round trip.
    std::optional<pqxx::nontransaction> transaction;
    std::optional<PostgresSession> session;
    bool is_usable = true;

 private:
    const Clock& clock_;
};

PostgresConnection::PostgresConnection(
    const std::string& url, const Clock& clock, PostgresWatchdog& watchdog
) {
    try {
        impl_ = std::make_unique<Impl>(url, clock, watchdog);
    } catch (...) {
        rethrow_as_postgres_error("cannot connect");
    }
}

PostgresConnection::~PostgresConnection() = default;

PostgresSession& PostgresConnection::session() { return *impl_->session; }

bool PostgresConnection::is_usable() const { return impl_->is_usable; }

void PostgresConnection::begin(const PostgresTransaction& wish) {
    try {
        impl_->open(wish.statement_time_max);
        impl_->transaction->exec(begin_text(wish));
    } catch (...) {
        roll_back();
        rethrow_as_postgres_error("cannot begin");
    }
}

void PostgresConnection::commit() {
    try {
        impl_->expect_end();  // the server's limit begins again, too
        impl_->transaction->exec("COMMIT");
        impl_->close();
    } catch (...) {
        roll_back();
        rethrow_as_postgres_error("cannot commit");
    }
}

void PostgresConnection::roll_back() {
    try {
        if (impl_->transaction) impl_->transaction->exec("ROLLBACK");
    } catch (const std::exception&) {
        impl_->is_usable = false;  // the server undoes what a closed connection left
    }
    impl_->close();
}

void PostgresConnection::run_script(const std::string& text) {
    try {
        impl_->transaction->exec(text);
    } catch (...) {
        rethrow_as_postgres_error("script");
    }
}

void PostgresConnection::check(const Query& query) {
    impl_->transaction->exec("SAVEPOINT synapsex_check");
    try {
        impl_->transaction->exec("PREPARE synapsex_check AS " + std::string{query.on_postgres()});
        impl_->transaction->exec("DEALLOCATE synapsex_check");
    } catch (const pqxx::sql_error& error) {
        // indeterminate_datatype: the types come with the values (placeholders.hpp).
        if (error.sqlstate() != "42P18") rethrow_as_postgres_error(query.name);
        impl_->transaction->exec("ROLLBACK TO SAVEPOINT synapsex_check");
    }
}

}  // namespace synapsex::db

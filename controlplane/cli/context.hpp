#pragma once

// What a command works with: the options that all commands share, the session, and the one way to
// print. Results go to standard output, everything else to standard error.

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/cli/credentials.hpp"
#include "controlplane/cli/session.hpp"
#include "controlplane/cli/surroundings.hpp"
#include "controlplane/cli/table.hpp"

namespace synapsex::cli {

enum class Output { people, json };

struct GlobalOptions {
    std::string url;
    std::string tenant;
    std::string profile;
    std::string credentials_file;
    std::string ca_file;
    Output output = Output::people;
    bool without_color = false;
};

class Context {
 public:
    Context(Surroundings& surroundings, GlobalOptions options)
        : surroundings_(surroundings), options_(std::move(options)) {}

    Surroundings& surroundings() { return surroundings_; }
    const GlobalOptions& options() const { return options_; }
    bool wants_json() const { return options_.output == Output::json; }
    // "synapsexctl vms list", as the user would write it: advice that can be pasted.
    std::string command(std::string_view words) const;
    Timestamp now() const { return surroundings_.clock.now(); }
    Colors colors() const;
    // What a line on standard output may take: COLUMNS, or the terminal's width; 0, no limit, where
    // it is no terminal.
    std::size_t columns_max() const;

    // Where `login` stores and all others look. Fails with cli.usage when nothing says where.
    Result<CredentialsFile> credentials_file() const;
    // The server to sign in to: --url, SYNAPSEX_URL, the last one, or this machine.
    Result<std::string> url() const;
    // Opened by the first call.
    Result<Session*> session();
    // One for this server and nobody, for signing in.
    Result<Session*> open_session(SessionSettings settings, const std::string& ca_file);
    // What the session's certificates are checked against; empty: the system's authorities.
    const std::string& ca_file() const { return ca_file_; }
    // The last answer to any call, for reporting; nullptr before the first.
    const net::HttpResponse* last_answer() const;

    template <class Request, class Response>
    Result<Response> call(
        const api::Operation<Request, Response>& operation, const Request& request
    ) {
        SYNAPSEX_TRY(Session* const opened, session());
        return opened->call(operation, request);
    }

    // To standard output, values escaped: see sentence().
    void say(std::string_view pattern, std::initializer_list<std::string_view> values = {});
    // The same to standard error: what a program that reads the output does not want.
    void note(std::string_view pattern, std::initializer_list<std::string_view> values = {});
    // Fitted into the terminal; facts are whole anyway.
    void print(const Table& table);
    // One document, as it came; escaped for a terminal. `{}` for an answer without a body.
    void print_json(std::string_view document);
    // The body of the last answer.
    void print_last_answer();

 private:
    Result<SessionSettings> settings_from(const std::optional<Credentials>& credentials) const;

    Surroundings& surroundings_;
    GlobalOptions options_;
    std::string ca_file_;
    std::unique_ptr<net::HttpClient> client_;
    std::optional<Session> session_;
};

Problem usage_problem(std::string detail);
Problem output_unwritable();

}  // namespace synapsex::cli

#include "controlplane/cli/context.hpp"

#include <charconv>

#include "shared/base/version.hpp"
#include "shared/net/url_rules.hpp"

namespace synapsex::cli {

namespace {

constexpr std::string_view kDefaultUrl = "http://127.0.0.1:8080";

std::string without_slash_at_end(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    // People paste the base of the API as the documentation writes it.
    if (url.ends_with("/v1")) url.resize(url.size() - 3);
    return url;
}

bool is_profile_name(std::string_view name) {
    return name.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
           ) == std::string_view::npos;
}

}  // namespace

Problem usage_problem(std::string detail) {
    return {.kind = Kind::invalid, .code = "cli.usage", .detail = std::move(detail)};
}

Problem output_unwritable() {
    return {
        .kind = Kind::internal,
        .code = "cli.output_unwritable",
        .detail = "Standard output cannot be written."};
}

std::string Context::command(std::string_view words) const {
    return surroundings_.program + ' ' + std::string{words};
}

Colors Context::colors() const {
    const bool is_wanted = surroundings_.is_out_terminal && !options_.without_color &&
                           surroundings_.environment_value("NO_COLOR").empty() &&
                           surroundings_.environment_value("TERM") != "dumb";
    return is_wanted ? Colors::on : Colors::off;
}

std::size_t Context::columns_max() const {
    if (!surroundings_.is_out_terminal) return 0;
    const auto wish = surroundings_.environment_value("COLUMNS");
    std::size_t columns = 0;
    const auto read = std::from_chars(wish.data(), wish.data() + wish.size(), columns);
    const bool is_number = read.ec == std::errc{} && read.ptr == wish.data() + wish.size();
    return is_number && columns > 0 ? columns : surroundings_.terminal_size().columns;
}

Result<CredentialsFile> Context::credentials_file() const {
    if (!options_.credentials_file.empty()) return CredentialsFile{options_.credentials_file};
    const auto profile = options_.profile.empty()
                             ? surroundings_.environment_value("SYNAPSEX_PROFILE")
                             : options_.profile;
    const auto file = surroundings_.environment_value("SYNAPSEX_CREDENTIALS");
    if (profile.empty() && !file.empty()) return CredentialsFile{file};
    if (!is_profile_name(profile))
        return usage_problem("A profile's name has only letters, digits, - and _.");
    std::filesystem::path folder = surroundings_.environment_value("XDG_CONFIG_HOME");
    if (!folder.is_absolute()) {  // the specification says to ignore a relative one
        const auto home = surroundings_.environment_value("HOME");
        if (home.empty())
            return usage_problem("HOME is not set: name the sign-in with --credentials.");
        folder = std::filesystem::path{home} / ".config";
    }
    const auto name = profile.empty() ? std::string{"credentials.json"}
                                      : "credentials." + profile + ".json";
    return CredentialsFile{folder / "synapsex" / name};
}

Result<std::string> Context::url() const {
    const auto wish =
        options_.url.empty() ? surroundings_.environment_value("SYNAPSEX_URL") : options_.url;
    if (!wish.empty()) {
        SYNAPSEX_CHECK(net::check_url(wish));
        return without_slash_at_end(wish);
    }
    SYNAPSEX_TRY(const auto file, credentials_file());
    SYNAPSEX_TRY(const auto credentials, file.load());
    return credentials ? credentials->url : std::string{kDefaultUrl};
}

Result<SessionSettings> Context::settings_from(
    const std::optional<Credentials>& credentials
) const {
    SYNAPSEX_TRY(auto url, this->url());
    SessionSettings settings{.url = std::move(url), .tenant = options_.tenant};
    if (settings.tenant.empty())
        settings.tenant = surroundings_.environment_value("SYNAPSEX_TENANT_ID");
    const auto access_token = surroundings_.environment_value("SYNAPSEX_ACCESS_TOKEN");
    const auto api_key = surroundings_.environment_value("SYNAPSEX_API_KEY");
    if (!access_token.empty()) {
        settings.sign_in = SignIn::access_token;
        settings.bearer = access_token;
    } else if (!api_key.empty()) {
        settings.sign_in = SignIn::api_key;
        settings.bearer = api_key;
    } else if (credentials && credentials->url == settings.url) {
        settings.sign_in = SignIn::file;
        settings.bearer = credentials->access_token;
        if (settings.tenant.empty()) settings.tenant = credentials->tenant_id;
    } else if (credentials) {
        settings.other_url = credentials->url;
    }
    return settings;
}

Result<Session*> Context::session() {
    if (session_) return &*session_;
    std::optional<Credentials> credentials;
    // Without a home and with a key in the environment (a container) there is no file to read.
    if (const auto file = credentials_file()) {
        SYNAPSEX_TRY(credentials, file->load());
    }
    SYNAPSEX_TRY(auto settings, settings_from(credentials));
    const bool is_its_server = credentials && credentials->url == settings.url;
    return open_session(std::move(settings), is_its_server ? credentials->ca_file : std::string{});
}

Result<Session*> Context::open_session(SessionSettings settings, const std::string& ca_file) {
    net::CurlOptions options{.user_agent = "synapsexctl/" + std::string{kVersion}};
    options.ca_file = options_.ca_file.empty() ? ca_file : options_.ca_file;
    // http:// goes to this machine alone, so a proxy would be the wrong way and would read along.
    if (settings.url.starts_with("https://")) options.proxy = net::ProxyUse::environment;
    ca_file_ = options.ca_file;
    client_ = surroundings_.connect(options);
    auto file = credentials_file();
    session_.emplace(
        std::move(settings),
        *client_,
        file ? *std::move(file) : CredentialsFile{{}},
        surroundings_.random
    );
    return &*session_;
}

const net::HttpResponse* Context::last_answer() const {
    return session_ && session_->last_answer() ? &*session_->last_answer() : nullptr;
}

void Context::say(std::string_view pattern, std::initializer_list<std::string_view> values) {
    surroundings_.out << sentence(pattern, values) << '\n';
}

void Context::note(std::string_view pattern, std::initializer_list<std::string_view> values) {
    surroundings_.out.flush();
    surroundings_.err << sentence(pattern, values) << '\n';
}

void Context::print(const Table& table) {
    const auto columns = table.has_titles() ? columns_max() : 0;
    for (const auto& line : table.lines(colors(), columns)) surroundings_.out << line << '\n';
}

void Context::print_json(std::string_view document) {
    if (document.empty()) document = "{}";
    while (document.ends_with('\n')) document.remove_suffix(1);
    surroundings_.out << (surroundings_.is_out_terminal ? escape_json(document)
                                                        : std::string{document})
                      << '\n';
}

void Context::print_last_answer() {
    const auto* answer = last_answer();
    print_json(answer == nullptr ? std::string_view{} : std::string_view{answer->body});
}

}  // namespace synapsex::cli

#pragma once

// What `synapsex-controlplane` can do. Each returns the process's exit code and throws StartRefused
// with a sentence for the operator.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "controlplane/app/config.hpp"

namespace synapsex::app {

// Serves until SIGTERM or SIGINT, then drains.
int serve(const Config& config);

// Brings the databases to what this release needs, says so, and ends. A release before this one
// keeps running beside it.
int migrate(const Config& config);

struct InitWish {
    std::string email;
    std::string full_name;
    std::string tenant_name;
    std::filesystem::path credentials_file;  // empty: none
};
// Keys, tables, the first tenant and its owner, with a password that is printed once. Done before:
// says so, and makes nothing but keys that are missing.
int init(const Config& config, const InitWish& wish);

struct RecoverOwnerWish {
    std::string email;
    std::string tenant;         // id or slug; empty: the only one that it can be
    bool may_make_user = false;
    bool is_password_on_stdin = false;  // else it is random
    std::filesystem::path credentials_file;  // empty: none
    std::string sudo_uid;  // as sudo says who asked it; empty: it did not run this
};
// A new password for a user, an end of their sessions, and a tenant that they own: for who has this
// machine and cannot sign in. Says what it does, and so does the outbox.
int recover_owner(const Config& config, const RecoverOwnerWish& wish);

enum class TenantsDeed { list, set_plan, set_limit, clear_limit, suspend, resume, certificates };
struct TenantsWish {
    TenantsDeed deed = TenantsDeed::list;
    std::string tenant;  // id or slug; list, certificates: empty for all
    std::string plan;
    std::optional<std::int64_t> plan_version;
    std::string limit;
    std::string value;    // a number, or "unlimited"
    std::string expires;  // RFC 3339; empty: it does not
    std::string reason;
    std::string sudo_uid;  // as in RecoverOwnerWish
    bool is_json = false;
};
// What tenants may use and whether they may act, for who has this machine. A running control plane
// heeds it at once.
int administer_tenants(const Config& config, const TenantsWish& wish);

// The keys of the data directory, a line each: name, algorithm, key id, public key. Nothing secret.
int list_keys(const Config& config);

// The public key by which other processes believe this one's services, as their service-keys/ take
// it. Makes the key if there is none.
int print_service_key(const Config& config);

enum class AuthorityWish { show, rotate, retire };
// The installation's certificate authority: its certificate in PEM; another one after it, which it
// vouches for; or an end of that.
int manage_authority(const Config& config, AuthorityWish wish);

struct BackupWish {
    std::filesystem::path file;      // to write
    std::filesystem::path verified;  // or to read
    std::filesystem::path passphrase_file;
    std::filesystem::path work_dir;  // for plain copies meanwhile; empty: the default
    bool is_json = false;
};
// Databases and keys into one sealed file, while the control plane serves.
int backup(const Config& config, const BackupWish& wish);
// Reads all of a backup, unpacks it to a place of its own and tries what is in it. No control plane
// has to be there.
int verify_backup(const BackupWish& wish);

struct RestoreWish {
    std::filesystem::path file;
    std::filesystem::path passphrase_file;
    bool is_replacing = false;            // what is there is moved aside
    bool are_credentials_revoked = false;  // API keys and enrollment tokens end as well
    bool is_json = false;
};
// Databases and keys out of a backup, all or nothing, as another incarnation of the server.
int restore(const Config& config, const RestoreWish& wish);

struct EgressQuestion {
    std::string url;
    bool is_json = false;
};
// Whether a request to a URL that a tenant supplied would be sent, and why: looks the host up,
// judges, prints. 0 allowed, 1 refused.
int check_egress(const Config& config, const EgressQuestion& question);

// The services that this binary hosts: name, port, prefixes.
int list_services();
// Every table: owner, growth, what is kept, pruner.
int list_tables();
// The OpenAPI document, as /v1/openapi.json serves it.
int print_openapi();

}  // namespace synapsex::app

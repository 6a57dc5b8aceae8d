#include "agent/worker/agent_key_files.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/descriptor.hpp"
#include "shared/base/log.hpp"

namespace synapsex::agent {

namespace {

namespace fs = std::filesystem;

Problem not_moved(const fs::path& path) {
    return {
        .kind = Kind::internal,
        .code = "agent.key_not_stored",
        .detail = "Cannot write " + path.string() + ": " + std::strerror(errno),
    };
}

bool remove_file(const fs::path& path) { return ::unlink(path.c_str()) == 0 || errno == ENOENT; }

// rename() does nothing, and says that it has, where both are names of one file.
bool move_file(const fs::path& from, const fs::path& to) {
    return ::rename(from.c_str(), to.c_str()) == 0 && remove_file(from);
}

bool link_anew(const fs::path& from, const fs::path& to) {
    return remove_file(to) && ::link(from.c_str(), to.c_str()) == 0;
}

}  // namespace

const crypto::Ed25519Key& AgentKeys::at(KeySlot slot) const {
    if (slot == KeySlot::next) return next.value();
    if (slot == KeySlot::former) return former.value();
    return current;
}

std::optional<crypto::Ed25519Key> AgentKeyFiles::find(const fs::path& path) const {
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path, ignored))) return std::nullopt;
    auto key = crypto::Ed25519Key::load_pem_file(path);
    if (key) return *std::move(key);
    log_warning("a key beside agent.key cannot be used", {{"detail", key.error().detail}});
    return std::nullopt;
}

Result<AgentKeys> AgentKeyFiles::load() const {
    SYNAPSEX_TRY(auto current, crypto::Ed25519Key::load_pem_file(key_path()));
    AgentKeys keys{.current = std::move(current)};
    keys.next = find(next_path());
    keys.former = find(former_path());
    const auto id = keys.current.key_id();
    if (keys.next && keys.next->key_id() == id) keys.next.reset();
    if (keys.former && keys.former->key_id() == id) keys.former.reset();
    return keys;
}

Result<crypto::Ed25519Key> AgentKeyFiles::load_or_make_next(Random& random) const {
    SYNAPSEX_TRY(const auto current, crypto::Ed25519Key::load_pem_file(key_path()));
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(next_path(), ignored))) {
        SYNAPSEX_TRY(auto known, crypto::Ed25519Key::load_pem_file(next_path()));
        if (known.key_id() != current.key_id()) return known;
        if (!remove_file(next_path())) return not_moved(next_path());
    }
    auto key = crypto::Ed25519Key::generate(random);
    SYNAPSEX_CHECK(key.save_pem_file(next_path()));
    return key;
}

Result<Done> AgentKeyFiles::settle(KeySlot taken) const {
    if (taken == KeySlot::next) return take_next();
    if (taken == KeySlot::former) return take_former();
    return Done{};
}

// In two steps, with agent.key there all the time: killed in between, the key that is to follow is
// still the next one.
Result<Done> AgentKeyFiles::take_next() const {
    const fs::path aside = former_path().string() + ".new";
    if (!link_anew(key_path(), aside) || !move_file(aside, former_path()))
        return not_moved(former_path());
    // The time that it is kept begins now.
    if (::utimensat(AT_FDCWD, former_path().c_str(), nullptr, 0) != 0 || !sync_folder(data_dir_))
        return not_moved(former_path());
    if (!move_file(next_path(), key_path()) || !sync_folder(data_dir_))
        return not_moved(key_path());
    return Done{};
}

// The control plane came back from a backup: what replaced the key is to replace it again.
Result<Done> AgentKeyFiles::take_former() const {
    if (!link_anew(key_path(), next_path()) || !sync_folder(data_dir_))
        return not_moved(next_path());
    if (!move_file(former_path(), key_path()) || !sync_folder(data_dir_))
        return not_moved(key_path());
    return Done{};
}

void AgentKeyFiles::drop_old_former(Timestamp now) const {
    struct stat facts {};
    if (::lstat(former_path().c_str(), &facts) != 0) return;
    if (Timestamp{std::chrono::seconds{facts.st_mtim.tv_sec}} + kFormerKeyKeptFor > now) return;
    if (!remove_file(former_path()))
        log_warning("a former key cannot be removed", {{"path", former_path().string()}});
}

}  // namespace synapsex::agent

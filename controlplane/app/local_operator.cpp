#include "controlplane/app/local_operator.hpp"

#include <charconv>

#include <pwd.h>
#include <unistd.h>

namespace synapsex::app {

namespace {

std::string user_name(uid_t uid) {
    const auto* entry = ::getpwuid(uid);
    const auto number = "uid " + std::to_string(uid);
    return entry == nullptr ? number : std::string{entry->pw_name} + " (" + number + ")";
}

std::string local_operator(const std::string& sudo_uid) {
    auto name = user_name(::getuid());
    uid_t uid = 0;
    const auto* end = sudo_uid.data() + sudo_uid.size();
    const auto read = std::from_chars(sudo_uid.data(), end, uid);
    const bool is_number = read.ec == std::errc{} && read.ptr == end;
    return is_number ? user_name(uid) + ", as " + name : name;
}

}  // namespace

Call call_of_local_operator(std::string name, const std::string& sudo_uid, Deadline deadline) {
    auto call = Call::system(std::move(name), deadline);
    auto principal = std::make_shared<Principal>(*call.principal);
    principal->credential_id = local_operator(sudo_uid);
    call.principal = std::move(principal);
    return call;
}

}  // namespace synapsex::app

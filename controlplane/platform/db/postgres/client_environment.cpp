#include "controlplane/platform/db/postgres/client_environment.hpp"

#include <libpq-fe.h>

#include <memory>

#include "controlplane/platform/db/database.hpp"

namespace synapsex::db {

std::vector<std::string> client_environment(const std::string& url) {
    char* why = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
        PQconninfoParse(url.c_str(), &why), &PQconninfoFree};
    PQfreemem(why);
    if (!options) throw DatabaseError("a database URL is no URL that PostgreSQL's library reads");
    std::vector<std::string> variables;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option)
        if (option->envvar != nullptr && option->val != nullptr)
            variables.push_back(std::string{option->envvar} + "=" + option->val);
    return variables;
}

}  // namespace synapsex::db

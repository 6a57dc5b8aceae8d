#include "controlplane/services/_template/routes.hpp"

#include "controlplane/services/_template/api.hpp"
#include "controlplane/services/_template/service.hpp"

namespace synapsex::_template {

void mount_routes(api::Router& router, Notes& notes) {
    router.mount(kCreateNote, [&notes](const Call& call, const CreateNote& wish) {
        return notes.create(call, wish);
    });
    router.mount(kGetNote, [&notes](const Call& call, const NotePath& path) {
        return notes.get(call, path);
    });
    router.mount(kListNotes, [&notes](const Call& call, const ListNotes& wish) {
        return notes.list(call, wish);
    });
}

}  // namespace synapsex::_template

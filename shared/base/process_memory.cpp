#include "shared/base/process_memory.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace synapsex {

void forbid_core_dumps() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
}

void hide_memory() {
#ifndef SYNAPSEX_SANITIZED
    ::prctl(PR_SET_DUMPABLE, 0);
#endif
}

}  // namespace synapsex

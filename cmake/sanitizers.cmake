# SYNAPSEX_SANITIZE names sanitizers as g++ does ("address,undefined"); empty means none.
set(SYNAPSEX_SANITIZE "" CACHE STRING "sanitizers, as in -fsanitize=")
if(SYNAPSEX_SANITIZE)
    # -O1 and line tables only: the suite has to build within minutes on two cores.
    add_compile_options(-O1 -g1 -fno-omit-frame-pointer -fsanitize=${SYNAPSEX_SANITIZE}
                        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SYNAPSEX_SANITIZE})
    add_compile_definitions(SYNAPSEX_SANITIZED)
    if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
        add_compile_options(-fno-sanitize=function)  # clang 14 cannot have it in coroutines
    endif()
    if(SYNAPSEX_SANITIZE STREQUAL thread)
        add_compile_options(-Wno-tsan)  # Asio has fences, which the sanitizer does not follow
    endif()
endif()

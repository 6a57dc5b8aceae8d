# The agent's programs carry the libraries whose names or versions differ between the distributions
# that one package is for (docs/decisions/0019-debian-packages.md). Off, nothing is linked otherwise.
option(SYNAPSEX_PORTABLE_AGENT "link protobuf-lite, SQLite and libstdc++ into the agent's programs" OFF)

# synapsex_carried(OUT TARGET ARCHIVE): what to link for TARGET; ARCHIVE in portable programs.
function(synapsex_carried out target archive)
    set(${out} ${target} PARENT_SCOPE)
    if(SYNAPSEX_PORTABLE_AGENT)
        find_library(SYNAPSEX_${archive} ${archive} REQUIRED)
        # Asked of the program that is linked, not of the library that needs it.
        set(is_portable $<BOOL:$<TARGET_PROPERTY:SYNAPSEX_IS_PORTABLE>>)
        set(${out} $<IF:${is_portable},${SYNAPSEX_${archive}},${target}> PARENT_SCOPE)
    endif()
endfunction()

# synapsex_make_portable(PROGRAM…)
function(synapsex_make_portable)
    if(NOT SYNAPSEX_PORTABLE_AGENT)
        return()
    endif()
    foreach(program IN LISTS ARGN)
        set_target_properties(${program} PROPERTIES SYNAPSEX_IS_PORTABLE ON)
        # Unused sections would bring symbols of the newest glibc along (arc4random).
        target_link_options(${program} PRIVATE -static-libstdc++ -Wl,--gc-sections)
    endforeach()
endfunction()

# ccache is used where it is installed; nothing needs it.
find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
                                    CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=time_macros ${CCACHE})
endif()
# mold only when asked for: docs/decisions/0008-gnu-ld.md.
option(SYNAPSEX_MOLD "link with mold" OFF)
if(SYNAPSEX_MOLD)
    add_link_options(-fuse-ld=mold)
endif()

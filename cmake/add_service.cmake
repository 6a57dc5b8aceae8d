# add_service(FOLDER SOURCES … API_SOURCES … [LIBS …] [TESTS …] [TEST_LIBS …])
#   One folder of controlplane/services. The objects of its API (codecs of api.hpp; what the CLI and
#   the tests also link) and of the service itself; its migrations, embedded as kMigrations in
#   "generated"/controlplane/services/<folder>/migrations.hpp; its tests.
include(embed_sql)

function(add_service folder)
    cmake_parse_arguments(ARG "" "" "SOURCES;API_SOURCES;LIBS;TESTS;TEST_LIBS" ${ARGN})
    synapsex_embed_migrations(${folder})
    set(objects service_${folder})
    if(ARG_API_SOURCES)
        add_library(service_${folder}_api OBJECT ${ARG_API_SOURCES})
        target_link_libraries(service_${folder}_api PUBLIC synapsex_options synapsex_platform_api)
        list(APPEND objects service_${folder}_api)
    endif()
    add_library(service_${folder} OBJECT ${ARG_SOURCES})
    target_link_libraries(service_${folder} PUBLIC synapsex_options synapsex_platform ${ARG_LIBS})
    if(NOT folder STREQUAL "_template")
        set_property(GLOBAL APPEND PROPERTY SYNAPSEX_SERVICES ${objects})
        if(ARG_API_SOURCES)
            set_property(GLOBAL APPEND PROPERTY SYNAPSEX_SERVICE_APIS service_${folder}_api)
        endif()
    endif()
    if(ARG_TESTS)
        synapsex_test(service_${folder}_test SOURCES ${ARG_TESTS}
                      LIBS ${objects} ${ARG_LIBS} ${ARG_TEST_LIBS})
        synapsex_on_both_engines(service_${folder}_test)
    endif()
endfunction()

# synapsex_library(NAME SOURCES … LIBS … [TESTS …] [TEST_LIBS …])
#   A static library with our warnings, and <NAME>_test from its TESTS.
function(synapsex_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBS;TESTS;TEST_LIBS" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC synapsex_options ${ARG_LIBS})
    if(ARG_TESTS)
        synapsex_test(${name}_test SOURCES ${ARG_TESTS} LIBS ${name} ${ARG_TEST_LIBS})
    endif()
endfunction()

# synapsex_program(NAME SOURCES … LIBS …)
function(synapsex_program name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE synapsex_options ${ARG_LIBS})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# synapsex_test(NAME SOURCES … LIBS …): one gtest program, one ctest entry of the same name.
function(synapsex_test name)
    if(NOT SYNAPSEX_TESTS)
        return()
    endif()
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE synapsex_options ${ARG_LIBS} synapsex_test_support
                                          GTest::gmock GTest::gtest_main)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND ${name})
endfunction()

# synapsex_on_both_engines(TEST): tests/run.sh runs it a second time, on PostgreSQL.
function(synapsex_on_both_engines name)
    if(TEST ${name})
        set_property(TEST ${name} APPEND PROPERTY LABELS both_engines)
    endif()
endfunction()

# synapsex_concurrent(TEST): tests/run.sh runs it a second time, under ThreadSanitizer.
function(synapsex_concurrent name)
    if(TEST ${name})
        set_property(TEST ${name} APPEND PROPERTY LABELS concurrent)
    endif()
endfunction()

# Warnings are errors, for our own code and for nobody else's headers.
add_library(synapsex_options INTERFACE)
target_compile_features(synapsex_options INTERFACE cxx_std_20)
target_compile_options(
    synapsex_options
    INTERFACE -Wall
              -Wextra
              -Wpedantic
              -Wshadow
              -Wconversion
              -Wold-style-cast
              -Wnon-virtual-dtor
              -Werror
              # g++ 12 sees overlaps in std::string that are none (GCC bug 105651).
              $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
)
target_include_directories(synapsex_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
# Asio and Beast are compiled once (controlplane/platform/http/separate_compilation.cpp), not in
# every file that includes them.
target_compile_definitions(
    synapsex_options INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                               BOOST_BEAST_SEPARATE_COMPILATION
)

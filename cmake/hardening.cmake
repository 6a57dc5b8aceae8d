# A release is built as Debian builds (dpkg-buildflags with hardening=+all), in the packages and in a
# checkout alike: what is measured is what is shipped, and the objects of one serve the other. Paths
# are relative to the sources, so that two folders give the same bytes.
if(CMAKE_BUILD_TYPE STREQUAL Release)
    set(branch_protection_x86_64 -fcf-protection)
    set(branch_protection_aarch64 -mbranch-protection=standard)
    add_compile_options(
        -fstack-protector-strong
        -fstack-clash-protection
        ${branch_protection_${CMAKE_SYSTEM_PROCESSOR}}
        -ffunction-sections
        -fdata-sections
        -Wdate-time
        -Wformat
        -Werror=format-security
        "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=."
    )
    add_compile_definitions(_FORTIFY_SOURCE=2)
    add_link_options(-pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
endif()

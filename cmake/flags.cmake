# How everything is compiled. Warnings are errors; hardening is on in every build that ships.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch -Werror
                    -fno-omit-frame-pointer -fstack-protector-strong)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)

if(CMAKE_BUILD_TYPE STREQUAL "Release")  # the sanitizers replace what these add
  add_compile_options(-fstack-clash-protection -fcf-protection)
  add_compile_definitions(_FORTIFY_SOURCE=3)
endif()
if(SIGNET_SANITIZE)
  add_compile_options(-fsanitize=${SIGNET_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SIGNET_SANITIZE})
endif()

# protocol/codes.json is the one list of what a peer can be told. It generates base/codes.h.
find_program(Python3_EXECUTABLE NAMES /usr/bin/python3 python3 REQUIRED)
set(codes_header ${CMAKE_BINARY_DIR}/generated/base/codes.h)
add_custom_command(
  OUTPUT ${codes_header}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/generate_codes.py
          ${CMAKE_SOURCE_DIR}/protocol/codes.json ${codes_header}
  DEPENDS ${CMAKE_SOURCE_DIR}/tools/generate_codes.py ${CMAKE_SOURCE_DIR}/protocol/codes.json)
add_custom_target(codes DEPENDS ${codes_header})

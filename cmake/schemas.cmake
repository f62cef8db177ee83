# The JSON Schemas of protocol/schemas are compiled in: generated/config/shipped_schemas.h.
foreach(schema world build_scene load_assets spawn_entity)
  set(file ${CMAKE_SOURCE_DIR}/protocol/schemas/${schema}.json)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  string(TOUPPER ${schema} name)
  file(READ ${file} SIGNET_SCHEMA_${name})
endforeach()
configure_file(src/config/shipped_schemas.h.in
               ${CMAKE_BINARY_DIR}/generated/config/shipped_schemas.h @ONLY)

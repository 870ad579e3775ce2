# pgat_add_sink(<type> SOURCES <file>… [LINK <library>…])
#
# Builds the sink plugin <type> as <build>/plugins/<type>.so, against pgat::plugin_api alone: no lib
# prefix, everything hidden but the one entry symbol, and no symbol left for the daemon to provide.
# The target is named sink_<type>. Our own sinks and those of others are built by this function. In a
# project of its own `cmake --install` puts the file where the daemon looks, PGAT_PLUGIN_DIRECTORY.
set_property(GLOBAL PROPERTY PGAT_SINK_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/pgat_sink.map)

function(pgat_add_sink type)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
    if(NOT type MATCHES "^[a-z][a-z0-9_]*$")
        message(FATAL_ERROR "pgat_add_sink: a type is [a-z][a-z0-9_]*, not '${type}'")
    endif()
    if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "pgat_add_sink(${type}): write SOURCES <file>… [LINK <library>…]")
    endif()
    get_property(version_script GLOBAL PROPERTY PGAT_SINK_VERSION_SCRIPT)
    set(target sink_${type})
    set_property(GLOBAL APPEND PROPERTY PGAT_SINKS ${target})
    add_library(${target} MODULE ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE pgat::plugin_api ${arg_LINK})
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if("CXX" IN_LIST languages)
        target_compile_features(${target} PRIVATE cxx_std_20)
    endif()
    set_target_properties(${target} PROPERTIES
        PREFIX ""
        OUTPUT_NAME ${type}
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins
        C_VISIBILITY_PRESET hidden
        CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON
        LINK_DEPENDS ${version_script})
    target_link_options(${target} PRIVATE
        -Wl,--version-script=${version_script} -Wl,--exclude-libs,ALL -Wl,--as-needed)
    # clang links a sanitizer's runtime into the program alone, so its symbols are missing here.
    get_target_property(options ${target} LINK_OPTIONS)
    get_directory_property(inherited LINK_OPTIONS)
    if(NOT ("${CMAKE_C_COMPILER_ID}${CMAKE_CXX_COMPILER_ID}" MATCHES "Clang"
            AND "${options};${inherited};${CMAKE_CXX_FLAGS};${CMAKE_C_FLAGS}" MATCHES "-fsanitize"))
        target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
    if(PGAT_PLUGIN_DIRECTORY) # of find_package(PgatPlugin); our own are installed by component
        install(TARGETS ${target} LIBRARY DESTINATION ${PGAT_PLUGIN_DIRECTORY})
    endif()
endfunction()

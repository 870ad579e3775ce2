# Run by cpack once all components lie under CPACK_TEMPORARY_DIRECTORY: adds the configuration, and to each package its
# copyright and changelog where distributions look for them.
file(READ ${CPACK_PGAT_PACKAGING}/../LICENSE text)
string(REGEX REPLACE "^MIT License\n\nCopyright[^\n]*\n\n" "" text "${text}")
string(STRIP "${text}" text)
string(REPLACE "\n\n" "\n.\n" text "${text}")
string(REPLACE "\n" "\n " license " ${text}")
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
    set(root ${CPACK_TEMPORARY_DIRECTORY}/${component})
    string(TOUPPER ${component} C)
    set(package ${CPACK_DEBIAN_${C}_PACKAGE_NAME})
    set(doc ${root}/usr/share/doc/${package})
    configure_file(${CPACK_PGAT_PACKAGING}/deb/copyright.in ${doc}/copyright @ONLY)
    file(REMOVE ${doc}/LICENSE) # copyright has it
    set(version ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
    file(WRITE ${doc}/changelog.Debian "${package} (${version}) unstable; urgency=medium

  * See CHANGELOG.md.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
    execute_process(COMMAND ${CPACK_PGAT_GZIP} -9 --no-name --force ${doc}/changelog.Debian
                    COMMAND_ERROR_IS_FATAL ANY)
endforeach()

file(COPY ${CPACK_PGAT_PACKAGING}/etc/config.yaml
     DESTINATION ${CPACK_TEMPORARY_DIRECTORY}/runtime/etc/postgres-async-triggers
     FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
     DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

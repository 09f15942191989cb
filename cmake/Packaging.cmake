# The Debian package: the programs, the model, a systemd unit, configuration, manual pages and
# completions. scripts/package.sh makes it. Only what belongs to a package is in the component
# `package`, so that `cmake --install` writes nothing outside its prefix.
#
# The pages and completions are what the built programs say of themselves. They are written into
# ${CMAKE_BINARY_DIR}/pages before the package is made.
set(pages ${CMAKE_BINARY_DIR}/pages)
set(debian ${CMAKE_SOURCE_DIR}/deploy/debian)
# Making a package builds nothing: scripts/package.sh has built the programs.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

foreach(name antiphon antiphon-server antiphon-trainer)
  install(PROGRAMS ${CMAKE_BINARY_DIR}/bin/${name} DESTINATION bin COMPONENT package
          EXCLUDE_FROM_ALL)
endforeach()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/models/default DESTINATION share/antiphon/models
        COMPONENT package EXCLUDE_FROM_ALL)
install(DIRECTORY ${pages}/man/ DESTINATION share/man COMPONENT package EXCLUDE_FROM_ALL)
install(DIRECTORY ${pages}/completions/ DESTINATION share/bash-completion/completions
        COMPONENT package EXCLUDE_FROM_ALL)
install(FILES ${debian}/antiphon.service DESTINATION lib/systemd/system COMPONENT package
        EXCLUDE_FROM_ALL)
install(FILES ${debian}/server.toml DESTINATION /etc/antiphon COMPONENT package EXCLUDE_FROM_ALL)
install(FILES ${debian}/antiphon.default DESTINATION /etc/default RENAME antiphon
        COMPONENT package EXCLUDE_FROM_ALL)
install(FILES LICENSE NOTICE THIRD_PARTY_NOTICES.md CHANGELOG.md README.md
        DESTINATION share/doc/antiphon COMPONENT package EXCLUDE_FROM_ALL)
install(FILES NOTICE DESTINATION share/doc/antiphon RENAME copyright COMPONENT package
        EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_SET_DESTDIR ON) # for what lies in /etc
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME antiphon)
set(CPACK_PACKAGE_VENDOR Antiphon)
set(CPACK_PACKAGE_CONTACT "The Antiphon authors <antiphon@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "find the score for a recording, over gRPC")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Antiphon recognises the work that is played, whoever plays it, and finds recordings for a\n\
 score. The package has the server, its command line, the trainer that makes collections, and a\n\
 model for piano music.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION sound)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "prometheus")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/conffiles ${debian}/postinst
                                       ${debian}/prerm ${debian}/postrm)
file(WRITE ${CMAKE_BINARY_DIR}/conffiles "/etc/antiphon/server.toml\n/etc/default/antiphon\n")
include(CPack)

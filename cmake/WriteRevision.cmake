# Run at every build: writes OUTPUT with the version and the git revision of SOURCE_DIR, touching it
# only when they have changed.
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12
                OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT revision)
  set(revision unknown)
endif()
string(CONCAT text "#pragma once\n"
       "#define ANTIPHON_VERSION \"${VERSION}\"\n"
       "#define ANTIPHON_REVISION \"${revision}\"\n")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT "${before}" STREQUAL "${text}")
  file(WRITE ${OUTPUT} "${text}")
endif()

# Target helpers: one line per library, program, test and benchmark, with the same flags everywhere.

# What the executables of a build with ThreadSanitizer hold besides their own.
function(antiphon_instrument name)
  if(TARGET antiphon_tsan)
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:antiphon_tsan>)
  endif()
endfunction()

# antiphon_library(NAME name SOURCES a.cc ... DEPS public... PRIVATE_DEPS private...)
# A static library whose headers are found as "core/...", "server/..." from the repository root.
function(antiphon_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${ARG_NAME} STATIC ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PUBLIC antiphon_options ${ARG_DEPS}
                                    PRIVATE ${ARG_PRIVATE_DEPS})
endfunction()

# antiphon_program(NAME name SOURCES main.cc ... DEPS libraries...)
function(antiphon_program)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE antiphon_options ${ARG_DEPS})
  antiphon_instrument(${ARG_NAME})
  set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  install(TARGETS ${ARG_NAME} RUNTIME)
endfunction()

# antiphon_test(NAME foo_test SOURCES foo_test.cc DEPS libraries...)
# One GoogleTest program, registered with CTest as a whole.
function(antiphon_test)
  if(NOT ANTIPHON_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE antiphon_options ${ARG_DEPS} GTest::gmock
                                            GTest::gtest_main)
  # What a test holds is optimised in its own library; its source compiles a third faster like this.
  target_compile_options(${ARG_NAME} PRIVATE $<$<CONFIG:Release>:-O1>)
  antiphon_instrument(${ARG_NAME})
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME})
  set_tests_properties(${ARG_NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()

# antiphon_benchmark(NAME foo_benchmark SOURCES foo_benchmark.cc DEPS libraries...)
function(antiphon_benchmark)
  if(NOT ANTIPHON_BENCHMARKS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE antiphon_options ${ARG_DEPS} benchmark::benchmark
                                            benchmark::benchmark_main)
  add_dependencies(benchmarks ${ARG_NAME})
endfunction()

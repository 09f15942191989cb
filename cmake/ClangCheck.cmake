# The preset `clang`: clang parses every source of ours, tests, benchmarks and fuzz targets among
# them, with its warnings as errors (scripts/clang_check.sh). Nothing is generated or linked: the
# objects are empty files that tell ninja what is checked already.

# Before any target is added: what the rules of this build are.
macro(antiphon_check_only)
  set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
  # The later of two actions of the compiler wins: a precompiled header, whose action is among the
  # flags, is written.
  set(CMAKE_CXX_COMPILE_OBJECT
      "<CMAKE_CXX_COMPILER> <DEFINES> <INCLUDES> -Xclang -fsyntax-only <FLAGS> \
-o <OBJECT> -c <SOURCE>"
      "\"${CMAKE_COMMAND}\" -E touch <OBJECT>")
  set(CMAKE_CXX_COMPILER_LAUNCHER "")
  # Some targets have these by what they link; the shared header needs them to be the same in all.
  string(APPEND CMAKE_CXX_FLAGS " -pthread ${OpenMP_CXX_FLAGS}")
endmacro()

function(antiphon_targets_below folder result)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder ${folders})
    antiphon_targets_below(${subfolder} more)
    list(APPEND targets ${more})
  endforeach()
  set(${result} ${targets} PARENT_SCOPE)
endfunction()

# After all targets are added: `clang_check`, which checks all their sources. They share one
# precompiled header, which makes it four times as fast.
function(antiphon_add_clang_check)
  antiphon_targets_below(${CMAKE_SOURCE_DIR} targets)
  add_library(antiphon_prelude OBJECT cmake/clang_prelude.cc)
  target_precompile_headers(antiphon_prelude PRIVATE cmake/clang_prelude.h)
  target_link_libraries(
    antiphon_prelude PRIVATE antiphon_options antiphon_proto GTest::gmock spdlog::spdlog
                             nlohmann_json::nlohmann_json absl::status absl::synchronization)
  set(objects)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type MATCHES "LIBRARY|EXECUTABLE" AND NOT type STREQUAL INTERFACE_LIBRARY
       AND NOT target MATCHES "^antiphon_(proto|otlp)$")  # generated
      list(APPEND objects $<TARGET_OBJECTS:${target}>)
      # FluidSynth's package defines _XOPEN_SOURCE, which the system's headers read.
      if(NOT target STREQUAL antiphon_synthesizer)
        target_precompile_headers(${target} REUSE_FROM antiphon_prelude)
      endif()
    endif()
  endforeach()
  add_custom_target(clang_check DEPENDS ${objects})
endfunction()

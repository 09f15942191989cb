# Every third-party library, found once. Targets: PkgConfig::*, torch, faiss, gRPC::*, GTest::*, ...
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED)
find_package(absl REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto SSL)
find_package(CURL REQUIRED)
pkg_check_modules(SNDFILE REQUIRED IMPORTED_TARGET sndfile)
pkg_check_modules(AVFORMAT REQUIRED IMPORTED_TARGET libavformat)
pkg_check_modules(AVCODEC REQUIRED IMPORTED_TARGET libavcodec)
pkg_check_modules(AVUTIL REQUIRED IMPORTED_TARGET libavutil)
pkg_check_modules(SOXR REQUIRED IMPORTED_TARGET soxr)
pkg_check_modules(FFTW3F REQUIRED IMPORTED_TARGET fftw3f)
pkg_check_modules(FLUIDSYNTH REQUIRED IMPORTED_TARGET fluidsynth)
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)
pkg_check_modules(MINIZIP REQUIRED IMPORTED_TARGET minizip)
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
if(ANTIPHON_TESTS)
  find_package(GTest REQUIRED)
endif()
if(ANTIPHON_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()

# antiphon_need(VARIABLE WHAT HINT): ends the configuration unless VARIABLE was found.
function(antiphon_need variable what hint)
  if(NOT ${variable})
    message(FATAL_ERROR "${what} was not found (${variable}). ${hint}")
  endif()
endfunction()

# Two libraries and one header of the CUDA toolkit. CMake's own FindCUDAToolkit stumbles over CUDA
# 13 in CMake 3.25: it asks for a library that is no more.
if(ANTIPHON_CUDA)
  set(cuda_hint "Install CUDA 12 or later, or name its folder with -DCUDAToolkit_ROOT=FOLDER.")
  set(cuda_places ${CUDAToolkit_ROOT} $ENV{CUDAToolkit_ROOT} $ENV{CUDA_PATH} /usr/local/cuda)
  find_path(CUDA_INCLUDE cuda_runtime_api.h HINTS ${cuda_places}
            PATH_SUFFIXES include targets/x86_64-linux/include)
  antiphon_need(CUDA_INCLUDE "CUDA's cuda_runtime_api.h" "${cuda_hint}")
  add_library(antiphon_cuda INTERFACE)
  target_include_directories(antiphon_cuda SYSTEM INTERFACE ${CUDA_INCLUDE})
  target_compile_definitions(antiphon_cuda INTERFACE ANTIPHON_CUDA=1)
  foreach(name cublas cudart)
    string(TOUPPER ${name}_LIBRARY variable)
    find_library(${variable} ${name} HINTS ${cuda_places}
                 PATH_SUFFIXES lib64 lib targets/x86_64-linux/lib)
    antiphon_need(${variable} "CUDA's lib${name}.so" "${cuda_hint}")
    target_link_libraries(antiphon_cuda INTERFACE ${${variable}})
  endforeach()
endif()

# LibTorch, taken as it lies: Debian's package, the archive from pytorch.org or the wheel from PyPI.
# Its own TorchConfig.cmake asks for build-time tools that using the library does not need (nvcc,
# NVRTC, cuDNN's headers; Debian's for more), and ends the configuration without them.
set(torch_hint "Install libtorch-dev, or name LibTorch with -DTorch_DIR=LIBTORCH/share/cmake/Torch")
set(torch_places ${Torch_DIR}/../../.. ${Torch_ROOT} $ENV{Torch_ROOT})
find_path(TORCH_API_INCLUDE torch/torch.h HINTS ${torch_places}
          PATH_SUFFIXES include/torch/csrc/api/include torch/csrc/api/include)
antiphon_need(TORCH_API_INCLUDE "LibTorch's torch/torch.h" "${torch_hint}")
cmake_path(SET torch_include NORMALIZE ${TORCH_API_INCLUDE}/../../../..)
set(torch_libraries torch torch_cpu c10)
if(ANTIPHON_CUDA)
  list(APPEND torch_libraries torch_cuda c10_cuda)
  string(APPEND torch_hint " (a build with CUDA)")
endif()
add_library(antiphon_torch INTERFACE)
target_include_directories(antiphon_torch SYSTEM INTERFACE ${TORCH_API_INCLUDE} ${torch_include})
# PyTorch's libraries export parts of an older libstdc++ (std::filesystem), which must not be found
# first.
target_link_libraries(antiphon_torch
                      INTERFACE "-Wl,--push-state,--no-as-needed,-lstdc++,--pop-state")
foreach(name ${torch_libraries})
  string(TOUPPER ${name}_LIBRARY variable)
  find_library(${variable} ${name} HINTS ${torch_include}/.. ${torch_places} PATH_SUFFIXES lib)
  antiphon_need(${variable} "LibTorch's lib${name}.so" "${torch_hint}.")
  # The kernels register themselves when the library is loaded; no symbol of it is asked for.
  target_link_libraries(antiphon_torch
                        INTERFACE "-Wl,--push-state,--no-as-needed,${${variable}},--pop-state")
endforeach()
# ATen/core/List.h moves a std::vector<IValue> where IValue is only declared. As C++20, clang needs
# the definition, and gets through LibTorch's headers only when this one comes first.
target_compile_options(
  antiphon_torch INTERFACE "$<$<CXX_COMPILER_ID:Clang>:SHELL:-include ATen/core/ivalue.h>")
cmake_path(GET TORCH_CPU_LIBRARY PARENT_PATH torch_folder)
list(APPEND CMAKE_BUILD_RPATH ${torch_folder})
if(ANTIPHON_CUDA)
  target_link_libraries(antiphon_torch INTERFACE antiphon_cuda)
  # What LibTorch's own libraries need (cuDNN, NCCL, ...) the loader finds; the machine that builds
  # may be without it.
  target_link_options(antiphon_torch INTERFACE -Wl,--allow-shlib-undefined)
endif()

# FAISS. Debian's is a static library: OpenMP, BLAS and LAPACK come after it.
set(ANTIPHON_FAISS_ROOT "" CACHE PATH "Where FAISS is installed, if not in the system's folders")
if(ANTIPHON_FAISS_ROOT)
  find_path(FAISS_INCLUDE faiss/Index.h PATHS ${ANTIPHON_FAISS_ROOT}/include NO_DEFAULT_PATH)
  find_library(FAISS_LIBRARY faiss PATHS ${ANTIPHON_FAISS_ROOT} PATH_SUFFIXES lib lib64
               NO_DEFAULT_PATH)
else()
  find_path(FAISS_INCLUDE faiss/Index.h)
  find_library(FAISS_LIBRARY faiss)
endif()
set(faiss_hint "Install libfaiss-dev, or name an installed one with -DANTIPHON_FAISS_ROOT=FOLDER.")
antiphon_need(FAISS_INCLUDE "FAISS's faiss/Index.h" "${faiss_hint}")
antiphon_need(FAISS_LIBRARY "FAISS's libfaiss" "${faiss_hint}")
add_library(antiphon_faiss INTERFACE)
target_include_directories(antiphon_faiss SYSTEM INTERFACE ${FAISS_INCLUDE})
target_link_libraries(antiphon_faiss INTERFACE ${FAISS_LIBRARY} OpenMP::OpenMP_CXX blas lapack)
if(ANTIPHON_CUDA)
  if(NOT EXISTS ${FAISS_INCLUDE}/faiss/gpu/GpuCloner.h)
    message(FATAL_ERROR "The FAISS in ${FAISS_INCLUDE} was built without GPU. "
                        "Name one with GPU with -DANTIPHON_FAISS_ROOT=FOLDER.")
  endif()
  target_link_libraries(antiphon_faiss INTERFACE antiphon_cuda)
endif()

# An installed program finds LibTorch and FAISS where they were found, unless the loader does.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

# GPU kernels: sets MRCNN_WITH_CUDA and MRCNN_CUDA_STATUS, and defines
#   mrcnn_cuda_sources(<target> <file.cu>...)  adds device sources to a target of this directory
#   mrcnn_use_cuda(<target>)                   its sources may include CUDA's headers
# AUTO never fails: it says why there are none and goes on. EMULATED compiles the same sources for
# the tests' stand-in of a GPU (docs/emulated_device.md).
set(MRCNN_CUDA AUTO CACHE STRING "GPU kernels: AUTO, ON, OFF, or EMULATED for tests without a GPU")
set_property(CACHE MRCNN_CUDA PROPERTY STRINGS AUTO ON OFF EMULATED)
set(MRCNN_WITH_CUDA OFF)

if(MRCNN_CUDA STREQUAL "OFF")
  set(MRCNN_CUDA_STATUS "off: MRCNN_CUDA=OFF")
elseif(MRCNN_CUDA STREQUAL "EMULATED")
  option(MRCNN_EMULATED_CHECK "Check every memory access of emulated kernels" OFF)
  set(MRCNN_WITH_CUDA ON)
  set(MRCNN_CUDA_STATUS "emulated on the CPU, for tests")
  add_subdirectory(${PROJECT_SOURCE_DIR}/tests/emulation)
elseif(MRCNN_CUDA STREQUAL "AUTO" OR MRCNN_CUDA STREQUAL "ON")
  # A100, RTX 30, RTX 40 and H100 as machine code; the last also as PTX, which newer GPUs compile
  # when they load it.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
    set(CMAKE_CUDA_ARCHITECTURES "80-real;86-real;89-real;90" CACHE STRING "GPU architectures")
  endif()
  if(CMAKE_VERSION VERSION_LESS 3.26)  # Debian 12's knows no C++20 flag for nvcc
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  endif()
  # Through the environment, because check_language() tests nothing when CMAKE_CUDA_COMPILER is set.
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(MRCNN_NVCC nvcc PATHS ENV CUDA_PATH ENV CUDA_HOME /usr/local/cuda /opt/cuda
                 PATH_SUFFIXES bin)
    mark_as_advanced(MRCNN_NVCC)
    if(MRCNN_NVCC)
      set(ENV{CUDACXX} "${MRCNN_NVCC}")
    endif()
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    set(MRCNN_CUDA_STATUS "off: no working CUDA compiler (nvcc) found")
  else()
    enable_language(CUDA)
    find_package(CUDAToolkit QUIET)
    find_package(CUDNN 9.8 QUIET)
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.2)
      set(MRCNN_CUDA_STATUS "off: nvcc ${CMAKE_CUDA_COMPILER_VERSION} is older than 12.2 (C++20)")
    elseif(NOT CUDAToolkit_FOUND OR NOT TARGET CUDA::cudart_static)
      set(MRCNN_CUDA_STATUS "off: the CUDA toolkit's headers or its static runtime are missing")
    elseif(NOT EXISTS "${CUDAToolkit_INCLUDE_DIRS}/cublasLt.h" AND NOT TARGET CUDA::cublasLt)
      set(MRCNN_CUDA_STATUS "off: cuBLASLt's header is missing")
    elseif(NOT CUDNN_FOUND)
      set(MRCNN_CUDA_STATUS "off: cuDNN 9.8 or newer not found (set CUDNN_ROOT)")
    else()
      set(MRCNN_WITH_CUDA ON)
      set(CMAKE_CUDA_STANDARD 20)
      set(CMAKE_CUDA_STANDARD_REQUIRED ON)
      set(CMAKE_CUDA_EXTENSIONS OFF)
      if(MRCNN_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
        set(CMAKE_CUDA_COMPILER_LAUNCHER ${MRCNN_CCACHE})
      endif()
      list(JOIN CMAKE_CUDA_ARCHITECTURES " " _architectures)
      set(MRCNN_CUDA_STATUS
          "on: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, cuDNN ${CUDNN_VERSION}, for ${_architectures}")
    endif()
  endif()
  if(MRCNN_CUDA STREQUAL "ON" AND NOT MRCNN_WITH_CUDA)
    string(REPLACE "off: " "" _why "${MRCNN_CUDA_STATUS}")
    message(FATAL_ERROR "MRCNN_CUDA=ON, but ${_why}")
  endif()
else()
  message(FATAL_ERROR "MRCNN_CUDA=${MRCNN_CUDA}: use AUTO, ON, OFF or EMULATED")
endif()

function(mrcnn_cuda_sources target)
  target_sources(${target} PRIVATE ${ARGN})
  if(MRCNN_CUDA STREQUAL "EMULATED")
    mrcnn_emulated_sources(${ARGN})
  else()
    # Contraction stays off as on the CPU, so that box arithmetic gives the same bits; kernels say
    # fmaf where they want it.
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS
      "-fmad=false;--expt-relaxed-constexpr;-Xcompiler=-Wall,-Wextra;$<$<BOOL:${MRCNN_WERROR}>:-Werror=all-warnings>")
  endif()
endfunction()

function(mrcnn_use_cuda target)
  if(NOT MRCNN_WITH_CUDA)
    return()
  endif()
  target_compile_definitions(${target} PUBLIC MRCNN_WITH_CUDA=1)
  if(MRCNN_CUDA STREQUAL "EMULATED")
    target_link_libraries(${target} PUBLIC mrcnn_emulated_runtime)
  else()
    # The runtime is linked statically and finds the driver when it is first used; cuDNN and cuBLAS
    # are opened at run time. So a binary starts on any machine.
    target_link_libraries(${target} PUBLIC CUDA::cudart_static)
  endif()
endfunction()

# Every header compiles alone: one source per header that includes nothing else, built with the
# tests. A header that leans on its includer breaks the build and is named in the message.
# Headers are found by globbing here, and only here, so that an unlisted one is checked too.
# Sanitizer and emulated builds leave this out: they would only repeat it. What speaks CUDA is
# checked where there is a toolkit; the emulated device's own headers are not.
if(MRCNN_SANITIZE OR MRCNN_CUDA STREQUAL "EMULATED")
  return()
endif()
set(_excluded "^tests/emulation/")
if(NOT MRCNN_WITH_CUDA)
  string(APPEND _excluded "|^core/cuda/(check|context|handles|vendor_library)|/cudnn/|/cublaslt/|/cuda_plans/")
endif()
set(_generated_dir ${CMAKE_CURRENT_BINARY_DIR}/headers_alone)
set(_sources)
foreach(room core kernels layers models data tools tests)
  file(GLOB_RECURSE _headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
       ${PROJECT_SOURCE_DIR}/${room}/*.h)
  list(FILTER _headers EXCLUDE REGEX "${_excluded}")
  foreach(header IN LISTS _headers)
    string(REPLACE "/" "." name ${header})
    file(CONFIGURE OUTPUT ${_generated_dir}/${name}.cpp CONTENT "#include \"${header}\"\n")
    list(APPEND _sources ${_generated_dir}/${name}.cpp)
  endforeach()
endforeach()
add_library(headers_alone OBJECT ${_sources})
target_compile_options(headers_alone PRIVATE -O0)
target_compile_definitions(headers_alone PRIVATE MRCNN_TEST_DATA="${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(headers_alone
  PRIVATE mrcnn_flags mrcnn_tools DNNL::dnnl fmt::fmt doctest::doctest)
if(MRCNN_WITH_CUDA)
  target_include_directories(headers_alone SYSTEM PRIVATE ${CUDNN_INCLUDE_DIR})
endif()

mrcnn_test_needs(headers_alone structure)

# That this catches the fault: a header that lacks an include, compiled the same way, is refused.
file(CONFIGURE OUTPUT ${_generated_dir}/incomplete/incomplete.h CONTENT "std::string name();\n")
add_test(NAME structure.incomplete_header_test COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only
  -x c++ ${_generated_dir}/incomplete/incomplete.h)
set_tests_properties(structure.incomplete_header_test PROPERTIES LABELS structure
  PASS_REGULAR_EXPRESSION "error: .*string")

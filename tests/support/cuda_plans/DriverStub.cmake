# mrcnn_driver_stub: a libcuda.so.1 without a GPU (README.md here), in ${MRCNN_DRIVER_STUB_DIR}.
# mrcnn_with_driver_stub(<test>...)  the tests find it in front of a real driver.
find_file(MRCNN_TOOLKIT_STUB libcuda.so HINTS ${CUDAToolkit_LIBRARY_DIR} PATH_SUFFIXES stubs
          NO_DEFAULT_PATH)
mark_as_advanced(MRCNN_TOOLKIT_STUB)
set(MRCNN_DRIVER_STUB_DIR ${CMAKE_CURRENT_BINARY_DIR}/driver_stub)
if(MRCNN_TOOLKIT_STUB AND CMAKE_NM)
  set(_source ${CMAKE_CURRENT_BINARY_DIR}/driver_stub.cpp)
  set(_maker ${CMAKE_CURRENT_LIST_DIR}/make_driver_stub.sh)
  add_custom_command(OUTPUT ${_source}
    COMMAND ${CMAKE_NM} -D --defined-only ${MRCNN_TOOLKIT_STUB} | ${_maker} > ${_source}
    DEPENDS ${_maker} VERBATIM)
  add_library(mrcnn_driver_stub SHARED ${_source})
  target_compile_options(mrcnn_driver_stub PRIVATE -w)
  set_target_properties(mrcnn_driver_stub PROPERTIES
    OUTPUT_NAME cuda SOVERSION 1 LIBRARY_OUTPUT_DIRECTORY ${MRCNN_DRIVER_STUB_DIR})
endif()

function(mrcnn_with_driver_stub)
  foreach(test IN LISTS ARGN)
    add_dependencies(${test} mrcnn_driver_stub)
    set_tests_properties(${test} PROPERTIES
      ENVIRONMENT "LD_LIBRARY_PATH=${MRCNN_DRIVER_STUB_DIR}:$ENV{LD_LIBRARY_PATH}")
  endforeach()
endfunction()

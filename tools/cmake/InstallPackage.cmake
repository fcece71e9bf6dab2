# Installs the libraries, their headers and the CMake package `maskrcnn`:
#   find_package(maskrcnn REQUIRED)
#   target_link_libraries(app PRIVATE maskrcnn::models maskrcnn::data)
include(CMakePackageConfigHelpers)
set(_rooms core kernels layers models data)
set(_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/maskrcnn)

foreach(room IN LISTS _rooms)
  set_target_properties(mrcnn_${room} PROPERTIES EXPORT_NAME ${room})
  install(TARGETS mrcnn_${room} EXPORT maskrcnn_targets
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${room} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/maskrcnn
          FILES_MATCHING PATTERN "*.h")
endforeach()
install(EXPORT maskrcnn_targets FILE maskrcnn-targets.cmake NAMESPACE maskrcnn::
        DESTINATION ${_package_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/maskrcnn-config.cmake.in
  ${CMAKE_BINARY_DIR}/maskrcnn-config.cmake INSTALL_DESTINATION ${_package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/maskrcnn-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/maskrcnn-config.cmake
  ${CMAKE_BINARY_DIR}/maskrcnn-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FindDNNL.cmake ${CMAKE_CURRENT_LIST_DIR}/FindTurboJPEG.cmake
  DESTINATION ${_package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# `cpack --config build/cpu/CPackConfig.cmake` writes a .tar.gz and a .deb.
set(CPACK_PACKAGE_CONTACT "maskrcnn.cpp developers <noreply@example.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_GENERATOR TGZ DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
include(CPack)

# SPDX-License-Identifier: MIT
# What `cmake --install` puts where. packaging/debian and packaging/rpm divide the same tree into packages.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(plugins_dir ${CMAKE_INSTALL_LIBDIR}/atom)
set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Atom)

# The library, and the device that it loads by name.
install(TARGETS atom EXPORT AtomTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS atom_inprocess LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} NAMELINK_SKIP)

# inprocess.h and uapi_layout.h are contracts inside of this project, and so is most of the folder hw.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/atom DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp" PATTERN "atom*.h" PATTERN hw EXCLUDE)
# Names of what the API tells and takes as numbers: commands, types, faults, capabilities.
foreach(header command dtype fault layout regs)
  install(FILES ${PROJECT_SOURCE_DIR}/include/atom/hw/${header}.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/atom/hw)
endforeach()

install(EXPORT AtomTargets NAMESPACE Atom:: DESTINATION ${cmake_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/AtomConfig.cmake.in
  ${PROJECT_BINARY_DIR}/install/AtomConfig.cmake INSTALL_DESTINATION ${cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/install/AtomConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/install/AtomConfig.cmake
  ${PROJECT_BINARY_DIR}/install/AtomConfigVersion.cmake
  DESTINATION ${cmake_dir})
# A tree below another prefix than the system's may be installed elsewhere, or moved.
set(pc_prefix ${CMAKE_INSTALL_PREFIX})
if(NOT pc_prefix STREQUAL /usr)
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  set(pc_prefix "\${pcfiledir}/${up}")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/libatom.pc.in ${PROJECT_BINARY_DIR}/install/libatom.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/install/libatom.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS atom-smi atom-decode RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/libatom/man/*.[1-8])
foreach(page ${pages})
  cmake_path(GET page EXTENSION LAST_ONLY section)
  string(SUBSTRING ${section} 1 -1 section)
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()


# Of the shells, what atom-smi itself knows about its commands.
foreach(completion bash:bash-completion/completions/atom-smi zsh:zsh/vendor-completions/_atom-smi fish:fish/vendor_completions.d/atom-smi.fish)
  string(REGEX MATCH "([a-z]+):(.*)/(.*)" _ ${completion})
  set(shell ${CMAKE_MATCH_1})
  set(folder ${CMAKE_INSTALL_DATADIR}/${CMAKE_MATCH_2})
  set(file ${PROJECT_BINARY_DIR}/install/${CMAKE_MATCH_3})
  install(CODE "execute_process(COMMAND $<TARGET_FILE:atom-smi> completion ${shell}
    OUTPUT_FILE ${file} COMMAND_ERROR_IS_FATAL ANY)")
  install(FILES ${file} DESTINATION ${folder})
endforeach()
# Where udev looks, whatever the libraries' folder is.
install(FILES ${PROJECT_SOURCE_DIR}/packaging/udev/60-atom.rules DESTINATION lib/udev/rules.d)

# Plug-ins lie where only their frameworks look, by the path that they are given.
foreach(plugin ggml_atom atom_ort_ep)
  if(TARGET ${plugin})
    install(TARGETS ${plugin} LIBRARY DESTINATION ${plugins_dir})
  endif()
endforeach()

# In a system's own folders the loader finds libatom by itself; below any other prefix by the way from its user.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL /usr)
  set_target_properties(atom PROPERTIES INSTALL_RPATH "\$ORIGIN")
  set_target_properties(atom-smi PROPERTIES INSTALL_RPATH "\$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  foreach(plugin ggml_atom atom_ort_ep)
    if(TARGET ${plugin})
      set_target_properties(${plugin} PROPERTIES INSTALL_RPATH "\$ORIGIN/..")
    endif()
  endforeach()
endif()

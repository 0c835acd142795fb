# SPDX-License-Identifier: MIT
# <atom/asio.hpp> with each version of Boost in ATOM_BOOST ("VERSION=FOLDER"; packaging/host/boost), else with the system's.
set(versions ${ATOM_BOOST})
find_package(Boost 1.74 QUIET)
if(NOT versions AND TARGET Boost::headers)
  set(versions system=${Boost_INCLUDE_DIRS})
endif()

find_package(Threads REQUIRED)

foreach(version ${versions})
  string(REGEX MATCH "^([^=]*)=(.*)$" _ ${version})
  set(boost ${CMAKE_MATCH_1})
  set(folder ${CMAKE_MATCH_2})
  foreach(standard 17 20)
    set(name libatom_asio_test_${boost}_${standard})
    add_executable(${name} asio_coroutine_test.cpp asio_end_test.cpp asio_idle_test.cpp asio_test.cpp asio_threads_test.cpp)
    target_link_libraries(${name} PRIVATE
      libatom_fake_kernel atom_options GTest::gtest_main Threads::Threads)
    target_compile_options(${name} PRIVATE -O0) # six programs: time to compile counts, not time to run
    target_include_directories(${name} SYSTEM BEFORE PRIVATE ${folder})
    add_dependencies(${name} atom_inprocess)
    set_target_properties(${name} PROPERTIES
      CXX_STANDARD ${standard} BUILD_RPATH $<TARGET_FILE_DIR:atom_inprocess>)
    add_test(NAME libatom.asio.boost_${boost}.cpp${standard} COMMAND ${name})
    set_tests_properties(libatom.asio.boost_${boost}.cpp${standard} PROPERTIES TIMEOUT 300 LABELS sanitized)
  endforeach()
endforeach()

# Each of its headers compiles alone, here with one Boost; the tests include asio.hpp first of all.
file(GLOB asio_headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include
  ${PROJECT_SOURCE_DIR}/include/atom/asio/*.hpp)
foreach(standard 17 20 23)
  set(sources)
  foreach(header ${asio_headers} atom/asio.hpp)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/headers/${standard}/${header}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
    list(APPEND sources ${source})
  endforeach()
  if(versions)
    add_library(libatom_asio_headers_${standard} OBJECT ${sources})
    target_link_libraries(libatom_asio_headers_${standard} PRIVATE Atom::atom atom_options)
    target_compile_options(libatom_asio_headers_${standard} PRIVATE -O0)
    target_include_directories(libatom_asio_headers_${standard} SYSTEM BEFORE PRIVATE ${folder})
    set_target_properties(libatom_asio_headers_${standard} PROPERTIES CXX_STANDARD ${standard} CXX_EXTENSIONS OFF)
  endif()
endforeach()

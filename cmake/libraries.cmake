# What Ward links beside libc. A GPU machine may have CUDA, gcc and CMake alone: a cuda build then
# leaves out what needs the others (files of models, the server, `ward`) and says so; kernels, the
# scheduler, engines with random weights, their tests and benchmarks remain.
find_package(Threads REQUIRED)
set(WARD_IS_WHOLE ON)
set(missing "")
find_package(PkgConfig)
foreach(package JANSSON=jansson PCRE2=libpcre2-8 UTF8PROC=libutf8proc YAML=yaml-0.1 GNUTLS=gnutls
                SODIUM=libsodium MICROHTTPD=libmicrohttpd NETTLE=nettle HIREDIS=hiredis CURL=libcurl)
  string(REPLACE "=" ";" package ${package})
  list(GET package 0 prefix)
  list(GET package 1 name)
  if(PkgConfig_FOUND)
    pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${name})
  endif()
  if(NOT ${prefix}_FOUND)
    string(APPEND missing " ${name}")
    set(WARD_IS_WHOLE OFF)
  endif()
endforeach()
if(NOT WARD_IS_WHOLE AND WARD_GPU STREQUAL "cuda")
  message(STATUS "left out: model files, server and ward; not found:${missing}")
elseif(NOT WARD_IS_WHOLE)
  message(FATAL_ERROR "not found by pkg-config:${missing}")
endif()

# TLS to Redis where hiredis has it (1.0 and newer, a library of its own); else rediss:// is refused.
set(WARD_REDIS_TLS "")
if(PkgConfig_FOUND AND HIREDIS_VERSION VERSION_GREATER_EQUAL 1.0)
  pkg_check_modules(HIREDIS_SSL QUIET IMPORTED_TARGET hiredis_ssl)
  if(HIREDIS_SSL_FOUND)
    set(WARD_REDIS_TLS PkgConfig::HIREDIS_SSL)
  endif()
endif()

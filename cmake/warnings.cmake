# Warnings are errors; a cast is written or the code is wrong.
add_library(strict_warnings INTERFACE)
set(STRICT_FLAGS
  -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wundef -Wvla -Wformat=2 -Wnull-dereference -Wcast-align -Wcast-qual
  -Wwrite-strings -Wswitch-enum -Wimplicit-fallthrough -Wdouble-promotion -Wpointer-arith)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND STRICT_FLAGS
    -Wcast-align=strict -Wduplicated-cond -Wduplicated-branches -Wlogical-op)
endif()
# C only: what a .cu is compiled with is in gpu.cmake, for nvcc and for g++.
target_compile_options(strict_warnings INTERFACE "$<$<COMPILE_LANGUAGE:C>:${STRICT_FLAGS}>")

# Everything: one ABI of symbols, stack protection, no reordering of floating point.
add_compile_definitions(_GNU_SOURCE)
set(COMMON_FLAGS -fno-common -fvisibility=hidden -fstack-protector-strong -ffp-contract=off -g)
add_compile_options("$<$<NOT:$<COMPILE_LANGUAGE:CUDA>>:${COMMON_FLAGS}>") # nvcc: see gpu.cmake
include_directories(${PROJECT_SOURCE_DIR})
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(
    "$<$<NOT:$<COMPILE_LANGUAGE:CUDA>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2;-fPIE>"
    $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-fPIE>)
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
if(WARD_SANITIZE)
  add_compile_options(-fsanitize=${WARD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WARD_SANITIZE})
endif()
if(WARD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link) # coverage of the parts that the targets call
endif()

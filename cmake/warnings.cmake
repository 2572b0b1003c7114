# Warnings are errors; a cast is written or the code is wrong.
add_library(strict_warnings INTERFACE)
target_compile_options(strict_warnings INTERFACE
  -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wundef -Wvla -Wformat=2 -Wnull-dereference -Wcast-align -Wcast-qual
  -Wwrite-strings -Wswitch-enum -Wimplicit-fallthrough -Wdouble-promotion -Wpointer-arith)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(strict_warnings INTERFACE
    -Wcast-align=strict -Wduplicated-cond -Wduplicated-branches -Wlogical-op)
endif()

# Everything: one ABI of symbols, stack protection, no reordering of floating point.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-fno-common -fvisibility=hidden -fstack-protector-strong -ffp-contract=off -g)
include_directories(${PROJECT_SOURCE_DIR})
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE)
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
if(WARD_SANITIZE)
  add_compile_options(-fsanitize=${WARD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WARD_SANITIZE})
endif()
if(WARD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link) # coverage of the parts that the targets call
endif()

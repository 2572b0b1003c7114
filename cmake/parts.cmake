# add_part(name DEPENDS lower-parts... LIBRARIES outside-libraries... WITHOUT files...): one folder =
# one static library that links lower layers only; WITHOUT: files that are in another library.
function(add_part name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES;WITHOUT" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name}/*.c)
  list(FILTER sources EXCLUDE REGEX "(/server/main|_lanes)\\.c$|/model/gpu/")
  list(REMOVE_ITEM sources "" ${ARG_WITHOUT})
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} ${ARG_LIBRARIES} PRIVATE strict_warnings)
  else()
    add_library(${name} INTERFACE) # a folder that holds only rules so far
    target_link_libraries(${name} INTERFACE ${ARG_DEPENDS} ${ARG_LIBRARIES})
  endif()
endfunction()

# add_lanes(part): every *_lanes.c of the part once for each vector unit (kernels/lanes/lanes.h);
# which one runs is chosen at start. They are optimised in every build type: without that a debug
# build would be too slow to test with. Sanitizers would take minutes over -O3 and full unrolling.
set(lanes_portable -O2)
set(lanes_avx2 -O3 -mavx2 -mfma -mf16c)
if(WARD_SANITIZE)
  set(lanes_avx2 -O2 -DLANES_SMALL -mavx2 -mfma -mf16c)
endif()
set(lanes_avx512 ${lanes_avx2} -mavx512f -mavx512bw -mavx512vl)
function(add_lanes part)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${part}/*_lanes.c)
  set(units portable)
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    list(APPEND units avx2 avx512)
  endif()
  foreach(unit ${units})
    add_library(${part}_${unit} OBJECT ${sources})
    target_compile_definitions(${part}_${unit} PRIVATE LANES_UNIT=${unit})
    target_compile_options(${part}_${unit} PRIVATE ${lanes_${unit}})
    target_link_libraries(${part}_${unit} PRIVATE strict_warnings)
    target_sources(${part} PRIVATE $<TARGET_OBJECTS:${part}_${unit}>)
  endforeach()
endfunction()

# add_model_core(): what of model/ needs no outside library: engines and weights made in memory.
function(add_model_core)
  file(GLOB families CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/model/family_*.c)
  set(sources ${families})
  foreach(name forward model_engine model_family model_random rope_table weights_expand
          weights_random weights_walk)
    list(APPEND sources ${PROJECT_SOURCE_DIR}/model/${name}.c)
  endforeach()
  add_library(model_core STATIC ${sources})
  target_link_libraries(model_core PUBLIC base kernels scheduler PRIVATE strict_warnings)
  set(MODEL_CORE ${sources} PARENT_SCOPE)
endfunction()

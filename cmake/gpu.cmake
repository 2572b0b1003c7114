# Kernels for a GPU (WARD_GPU): `cuda` compiles every .cu with nvcc; `host` compiles the same files
# with g++, where kernels/gpu/host/ interprets a block's threads as fibers. Library: <part>_gpu.
set(GPU_ARCHITECTURES "80-real;90a-real;90-virtual")
set(GPU_NVCC_FLAGS -Werror=all-warnings -lineinfo -Xptxas=-v
    "-Xcompiler=-Wall,-Wextra,-Werror,-Wno-unused-parameter")
# g++ reads CUDA C as C++: fast enough to test with in every build type.
set(GPU_HOST_FLAGS -x c++ -std=c++17 -O1 -Wall -Wextra -Werror -Wno-unused-parameter
    -Wno-missing-field-initializers -Wno-unknown-pragmas -Wno-psabi)

if(WARD_GPU STREQUAL "cuda")
  set(CMAKE_CUDA_ARCHITECTURES ${GPU_ARCHITECTURES})
  set(CMAKE_CUDA_STANDARD 17)
  enable_language(CUDA)
  find_package(CUDAToolkit REQUIRED)
  # Headers only: the library is opened at run time (kernels/matmul/matmul_cublaslt.h). Without them
  # the build refuses `kernels.matmul: fastest`.
  set(WARD_CUBLAS "" CACHE PATH "folder with include/cublasLt.h, such as site-packages/nvidia/cu13")
  find_path(CUBLASLT_INCLUDE cublasLt.h HINTS ${WARD_CUBLAS}/include ${CUDAToolkit_INCLUDE_DIRS})
elseif(WARD_GPU STREQUAL "host")
  enable_language(CXX)
endif()

# gpu_sources(target files...): sets language and flags of the .cu and .cc files among them.
function(gpu_sources target)
  foreach(file ${ARGN})
    if(file MATCHES "\\.(cu|cc)$" AND WARD_GPU STREQUAL "host")
      set_source_files_properties(${file} PROPERTIES LANGUAGE CXX)
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${GPU_HOST_FLAGS}")
    elseif(file MATCHES "\\.cu$")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${GPU_NVCC_FLAGS}")
    endif()
  endforeach()
endfunction()

# add_gpu_kernels(part): the library <part>_gpu of every .cu below the folder and the device itself.
function(add_gpu_kernels part)
  if(WARD_GPU STREQUAL "off")
    return()
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${part}/*.cu)
  if(WARD_GPU STREQUAL "host")
    list(FILTER sources EXCLUDE REGEX "_cuda\\.cu$")
    file(GLOB host CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${part}/gpu/host/*.cc)
    list(APPEND sources ${host})
  endif()
  gpu_sources(${part}_gpu ${sources})
  set(cublaslt ${PROJECT_SOURCE_DIR}/${part}/matmul/matmul_cublaslt.cu)
  if(CUBLASLT_INCLUDE AND cublaslt IN_LIST sources)
    set_source_files_properties(${cublaslt} PROPERTIES COMPILE_DEFINITIONS WARD_HAS_CUBLASLT=1
                                INCLUDE_DIRECTORIES ${CUBLASLT_INCLUDE})
  endif()
  add_library(${part}_gpu STATIC ${sources})
  target_link_libraries(${part}_gpu PUBLIC ${part})
  if(WARD_GPU STREQUAL "cuda")
    target_link_libraries(${part}_gpu PUBLIC CUDA::cudart_static ${CMAKE_DL_LIBS})
  else()
    target_link_libraries(${part}_gpu PUBLIC stdc++)
  endif()
endfunction()

# add_gpu_engine(part): the library <part>_gpu of <part>/gpu/, which drives the kernels.
function(add_gpu_engine part)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${part}/gpu/*.c)
  if(WARD_GPU STREQUAL "off" OR NOT sources)
    return()
  endif()
  add_library(${part}_gpu STATIC ${sources})
  target_link_libraries(${part}_gpu PUBLIC ${part}_core kernels_gpu PRIVATE strict_warnings)
endfunction()

# add_gpu_test(target files...)
function(add_gpu_test target)
  gpu_sources(${target} ${ARGN})
  add_executable(${target} ${ARGN})
endfunction()

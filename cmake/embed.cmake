# A file's bytes as a C array, so that the binary carries it: embed_file(target file symbol) gives
# `const unsigned char symbol[]` and `const unsigned long symbol_bytes`. As a script (cmake -P), it
# writes the C file: that step runs again whenever the file has changed.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${input} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(....................................................................................................)" "\\1\n" bytes "${bytes}")
  file(WRITE ${output}
    "extern const unsigned char ${symbol}[];\nextern const unsigned long ${symbol}_bytes;\n"
    "const unsigned char ${symbol}[] = {\n${bytes}\n};\n"
    "const unsigned long ${symbol}_bytes = sizeof ${symbol};\n")
  return()
endif()

set(EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(embed_file target input symbol)
  set(output ${CMAKE_BINARY_DIR}/embedded/${symbol}.c)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -Dinput=${PROJECT_SOURCE_DIR}/${input} -Doutput=${output}
            -Dsymbol=${symbol} -P ${EMBED_SCRIPT}
    DEPENDS ${PROJECT_SOURCE_DIR}/${input} ${EMBED_SCRIPT})
  target_sources(${target} PRIVATE ${output})
endfunction()

# embed_folder(target folder table header): every .yaml below the folder, and a table of them sorted
# by path: `const struct shipped_file table[]`, whose last path is NULL.
function(embed_folder target folder table header)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/${folder}
       ${PROJECT_SOURCE_DIR}/${folder}/*.yaml)
  list(SORT files)
  set(declarations "")
  set(rows "")
  foreach(file ${files})
    string(MAKE_C_IDENTIFIER "${table}_${file}" symbol)
    embed_file(${target} ${folder}/${file} ${symbol})
    string(APPEND declarations
      "extern const unsigned char ${symbol}[];\nextern const unsigned long ${symbol}_bytes;\n")
    string(APPEND rows "    {\"${file}\", ${symbol}, &${symbol}_bytes},\n")
  endforeach()
  set(output ${CMAKE_BINARY_DIR}/embedded/${table}.c)
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
    "#include \"${header}\"\n${declarations}const struct shipped_file ${table}[] = {\n${rows}    {0, 0, 0},\n};\n")
  target_sources(${target} PRIVATE ${output})
endfunction()

# embed_large(target file symbol): as embed_file, by the assembler: for files of megabytes.
function(embed_large target input symbol)
  set(output ${CMAKE_BINARY_DIR}/embedded/${symbol}.c)
  set(path ${PROJECT_SOURCE_DIR}/${input})
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
    "__asm__(\".section .rodata\\n.global ${symbol}\\n.balign 16\\n${symbol}:\\n.incbin \\\"${path}\\\"\\n\"\n        \".global ${symbol}_end\\n${symbol}_end:\\n.byte 0\\n.previous\\n\");\nextern const unsigned char ${symbol}[];\n")
  set_source_files_properties(${output} PROPERTIES OBJECT_DEPENDS ${path})
  target_sources(${target} PRIVATE ${output})
endfunction()

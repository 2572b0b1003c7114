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

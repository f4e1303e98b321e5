# The objects compiled for more than the baseline CPU must define no symbol that the linker could
# choose for other files too, and nothing external but their table (see kernels_avx512.cpp).
#   cmake -D NM=nm -D "OBJECTS=a.o;b.o" -P check_symbols.cmake
set(checked 0)
foreach(object IN LISTS OBJECTS)
  if(NOT object MATCHES "kernels_(avx2|avx512|avx512_bf16|neon)\\.cpp")
    continue()
  endif()
  math(EXPR checked "${checked} + 1")
  execute_process(COMMAND ${NM} --defined-only --extern-only ${object}
    OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" symbols "${symbols}")
  foreach(symbol IN LISTS symbols)
    if(NOT symbol STREQUAL "" AND NOT symbol MATCHES " [DRB] _ZN7ferplus[0-9]+k[A-Za-z0-9]+(Kernels|Elementwise)E$")
      message(FATAL_ERROR "${object} defines a symbol that other files may be given: ${symbol}")
    endif()
  endforeach()
endforeach()
if(checked EQUAL 0)
  message(FATAL_ERROR "no per-ISA object among: ${OBJECTS}")
endif()

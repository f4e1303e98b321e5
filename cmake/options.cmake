# Flags that every target of this project gets, and no consumer does: `ferplus_options`.
add_library(ferplus_options INTERFACE)
target_compile_options(ferplus_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  # Same bits need the same operations: no contraction but where a kernel writes an FMA.
  -ffp-contract=off)
if(FERPLUS_WARNINGS_AS_ERRORS)
  target_compile_options(ferplus_options INTERFACE -Werror)
endif()
if(FERPLUS_SANITIZE)
  target_compile_options(ferplus_options INTERFACE
    -fsanitize=${FERPLUS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(ferplus_options INTERFACE -fsanitize=${FERPLUS_SANITIZE})
endif()
if(FERPLUS_COVERAGE)
  target_compile_options(ferplus_options INTERFACE --coverage)
  target_link_options(ferplus_options INTERFACE --coverage)
endif()

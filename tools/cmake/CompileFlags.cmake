# mrcnn_flags: warnings and floating-point rules for our own code; linked privately, not exported.
add_library(mrcnn_flags INTERFACE)
set(_cxx_flags
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-declarations
  # gcc 12 reports a false overlap in std::string concatenation at -O3
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # box arithmetic must give the same bits on machines with and without FMA
  -ffp-contract=off
  $<$<BOOL:${MRCNN_WERROR}>:-Werror>)
target_compile_options(mrcnn_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${_cxx_flags}>")
if(MRCNN_SANITIZE)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${MRCNN_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>")
  add_link_options(-fsanitize=${MRCNN_SANITIZE})
endif()

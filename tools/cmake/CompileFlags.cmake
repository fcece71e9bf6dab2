# mrcnn_flags: warnings and floating-point rules for our own code; linked privately, not exported.
add_library(mrcnn_flags INTERFACE)
target_compile_options(mrcnn_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-declarations
  -Wno-restrict           # gcc 12 reports a false overlap in std::string concatenation at -O3
  -ffp-contract=off       # box arithmetic must give the same bits on machines with and without FMA
  $<$<BOOL:${MRCNN_WERROR}>:-Werror>)
if(MRCNN_SANITIZE)
  add_compile_options(-fsanitize=${MRCNN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MRCNN_SANITIZE})
endif()

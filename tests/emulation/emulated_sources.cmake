# mrcnn_emulated_sources(<file.cu>...): compiles CUDA sources of the calling directory for the
# emulated device. Source properties belong to a directory, so the owner of the files calls it.
function(mrcnn_emulated_sources)
  # Vector loads go through reinterpret_cast; #pragma unroll is nvcc's; the assembler remarks on
  # .noinit sections of templates.
  set(options -fno-strict-aliasing -Wno-unknown-pragmas -Wa,--no-warn -O1 -g
      -fno-omit-frame-pointer)
  if(MRCNN_EMULATED_CHECK)
    # Calls a hook on every load and store. The program is linked without the TSan runtime: the
    # emulated device defines the hooks.
    list(APPEND options -fsanitize=thread,alignment,bounds
         -fno-sanitize-recover=alignment,bounds --param=tsan-instrument-func-entry-exit=0)
  endif()
  set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "${options}")
endfunction()

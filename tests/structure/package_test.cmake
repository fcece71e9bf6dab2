# Installs the build into a folder of its own, then configures, builds and runs a consumer of it.
# Variables: build_dir, work_dir, consumer_dir, generator, compiler.
file(REMOVE_RECURSE ${work_dir})
set(prefix ${work_dir}/prefix)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "failed (${code}): ${command}\n${text}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${build_dir} --prefix ${prefix})
run(${CMAKE_COMMAND} -S ${consumer_dir} -B ${work_dir}/build -G ${generator}
    -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_PREFIX_PATH=${prefix})
run(${CMAKE_COMMAND} --build ${work_dir}/build)
run(${work_dir}/build/consumer)

# The programs are installed under their public names and start from there.
foreach(program infer evaluate convert summary bench)
  run(${prefix}/bin/maskrcnn-${program} --help)
endforeach()

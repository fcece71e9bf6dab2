#!/bin/sh
# Writes the C++ source of a libcuda.so.1 without a GPU behind it, with which cuDNN compiles and
# finishes its plans on any machine.
#   nm -D --defined-only $CUDA/lib64/stubs/libcuda.so | make_driver_stub.sh > driver_stub.cpp
# Every function of the toolkit's own stub exists, succeeds and does nothing; the device and context
# calls report that there is no device; loading a compiled kernel gives a dummy. The CUDA runtime and
# cuDNN find them by dlsym or through cuGetProcAddress. Nothing can be run with it.
set -eu
exec awk '
$3 ~ /^cu[A-Z]/ && $2 ~ /^[TW]$/ { names[$3] = 1 }
END {
  dummies = " cuLibraryLoadData cuLibraryGetKernel cuLibraryGetModule cuKernelGetFunction " \
            "cuModuleLoadData cuModuleLoadDataEx cuModuleGetFunction "
  numbers = " cuKernelGetAttribute cuFuncGetAttribute "
  print "#include <cstring>"
  print "namespace { char dummy[64]; }"
  print "extern \"C\" {"
  for (name in names) {
    if (name ~ /^cuGetProcAddress/)
      continue
    else if (name == "cuDriverGetVersion")
      print "int " name "(int* version) { *version = 13000; return 0; }"
    else if (index(dummies, " " name " "))
      print "int " name "(void** handle) { *handle = dummy; return 0; }"
    else if (index(numbers, " " name " "))
      print "int " name "(int* value) { *value = 0; return 0; }"
    else if (name ~ /^cuOccupancy/)
      print "int " name "(int* count) { *count = 1; return 0; }"
    else if (name == "cuInit" || name ~ /^cu(Device|Ctx)/)
      print "int " name "() { return 100; }"  # CUDA_ERROR_NO_DEVICE
    else
      print "int " name "() { return 0; }"
  }
  print "}"
  print "namespace {"
  print "struct Entry { const char* name; void* function; };"
  print "const Entry entries[] = {"
  for (name in names)
    if (name !~ /^cuGetProcAddress/) print "  {\"" name "\", (void*)&" name "},"
  print "};"
  print "int find(const char* name, void** function) {"
  print "  for (const Entry& entry : entries) {"
  print "    if (std::strcmp(entry.name, name) == 0) { *function = entry.function; return 0; }"
  print "  }"
  print "  *function = nullptr;"
  print "  return 500;"  # CUDA_ERROR_NOT_FOUND
  print "}"
  print "}"
  print "extern \"C\" int cuGetProcAddress(const char* name, void** function) {"
  print "  return find(name, function);"
  print "}"
  print "extern \"C\" int cuGetProcAddress_v2(const char* name, void** function, int,"
  print "                                   unsigned long long, int* missing) {"
  print "  const int status = find(name, function);"
  print "  if (missing != nullptr) *missing = status == 0 ? 0 : 1;"
  print "  return status;"
  print "}"
}'

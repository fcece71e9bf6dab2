#include "core/cuda/vendor_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <utility>

#include "core/error.h"

namespace mrcnn::cuda {
namespace {

std::vector<std::string> directories_of(const VendorLibraryNames& names) {
  std::vector<std::string> directories;
  const auto add = [&directories](const char* directory, const char* below) {
    if (directory != nullptr && *directory != '\0') {
      directories.push_back(std::string(directory) + below);
    }
  };
  add(std::getenv(names.directory_variable.c_str()), "/");
  directories.emplace_back();  // the loader's own path
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) add(std::getenv(variable), "/lib64/");
  add("/usr/local/cuda", "/lib64/");
  add(names.build_directory.c_str(), "/");
  return directories;
}

}  // namespace

VendorLibrary::VendorLibrary(const VendorLibraryNames& names) {
  std::string tried;
  for (const std::string& directory : directories_of(names)) {
    for (const std::string& file : names.file_names) {
      path_ = directory + file;
      handle_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (handle_ != nullptr) return;
      const char* reason = dlerror();
      tried += "\n  " + (reason != nullptr ? std::string(reason) : path_);
    }
  }
  throw DeviceError("[cuda] " + names.title + " was not found: " + names.remedy + ", or set " +
                    names.directory_variable + " to the directory of " + names.file_names.front() +
                    "; looked for:" + tried);
}

void* VendorLibrary::symbol(const char* name) const {
  void* const address = dlsym(handle_, name);
  if (address == nullptr) {
    throw DeviceError("[cuda] " + path_ + " has no function " + name + ": it is too old");
  }
  return address;
}

}  // namespace mrcnn::cuda

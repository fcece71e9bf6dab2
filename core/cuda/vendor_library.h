// A shared library of the GPU's vendor, opened when it is first needed, so that a program built for
// GPUs starts and works on a machine that has none of them.
#pragma once

#include <bit>
#include <string>
#include <vector>

namespace mrcnn::cuda {

struct VendorLibraryNames {
  std::string title;                    // "cuDNN 9"
  std::vector<std::string> file_names;  // best first
  std::string directory_variable;       // environment variable naming its directory
  std::string build_directory;          // where the build found it; may be empty
  std::string remedy;                   // "install cuDNN 9 for CUDA 13"
};

// Stays open until the program ends.
class VendorLibrary {
 public:
  // Looks in the variable's directory, on the loader's path, in the toolkit and where the build
  // found it. Throws DeviceError with all of them and the remedy.
  explicit VendorLibrary(const VendorLibraryNames& names);

  // Throws DeviceError if the library has no such function.
  template <typename Function>
  void find(const char* name, Function*& function) const {
    function = std::bit_cast<Function*>(symbol(name));
  }
  const std::string& path() const { return path_; }

 private:
  void* symbol(const char* name) const;

  std::string path_;
  void* handle_ = nullptr;
};

}  // namespace mrcnn::cuda

// Runs a fuzz target over stored inputs, in any build: files, and directories of files.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "tests/fuzz/target.h"

namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_of(const std::string& argument) {
  if (!fs::is_directory(argument)) return {argument};
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(argument)) {
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void replay(const std::string& path) {
  const mrcnn::FileBytes file = mrcnn::read_file(path, mrcnn::ExitCode::kData);
  // A copy of exactly the size, so that a read past the end is seen.
  const std::string_view text = mrcnn::fuzz::as_text(file);
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  // Standard error is not buffered: when the target ends the program, the last line is its input.
  std::fprintf(stderr, "%s\n", path.c_str());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  LLVMFuzzerInitialize(&argc, &argv);
  size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const std::string& path : files_of(argv[i])) {
      replay(path);
      ++count;
    }
  }
  std::printf("%zu inputs\n", count);
  return count == 0 ? 1 : 0;
}

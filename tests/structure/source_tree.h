// The repository as the structure rules see it: paths of its files and the texts of its sources.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mrcnn::structure {

struct SourceFile {
  std::string path;  // relative to the root, with '/'
  std::string text;  // empty unless is_source(path)
};

struct SourceTree {
  std::vector<SourceFile> files;

  const SourceFile* find(std::string_view path) const;  // nullptr if there is none
  bool has_file(std::string_view path) const { return find(path) != nullptr; }
  bool has_directory(std::string_view path) const;
};

// Code, build files, scripts and pages; not pictures, weights or golden data.
bool is_source(std::string_view path);
bool is_header(std::string_view path);    // .h .cuh
bool is_compiled(std::string_view path);  // .cpp .cu
bool is_cpp_code(std::string_view path);  // these and .inc
// The first component: "core" of "core/io/file.h"; "" for a file of the root.
std::string_view room_of(std::string_view path);
// "core/io" of "core/io/file.h".
std::string_view directory_of(std::string_view path);

// Reads the tree under `root` without what .gitignore names (build, runs, carry) and without .git.
// Whatever else lies in the root but holds no source, such as somebody's photos, is left out.
SourceTree load_tree(const std::filesystem::path& root);

}  // namespace mrcnn::structure

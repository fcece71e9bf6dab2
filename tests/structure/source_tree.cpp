#include "tests/structure/source_tree.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

namespace mrcnn::structure {
namespace {

namespace fs = std::filesystem;

template <size_t kCount>
bool one_of(std::string_view text, const std::array<std::string_view, kCount>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string_view extension_of(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(dot);
}

// Outputs and version control; "build" and "__pycache__" are ignored at any depth.
bool is_ignored_directory(const std::string& relative, const std::string& name) {
  return name == ".git" || name == "build" || name == "__pycache__" || relative == "runs" ||
         relative == "carry";
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

const SourceFile* SourceTree::find(std::string_view path) const {
  const auto match = std::find_if(files.begin(), files.end(),
                                  [&](const SourceFile& file) { return file.path == path; });
  return match == files.end() ? nullptr : &*match;
}

bool SourceTree::has_directory(std::string_view path) const {
  std::string prefix(path);
  if (!prefix.ends_with('/')) prefix += '/';
  return std::any_of(files.begin(), files.end(),
                     [&](const SourceFile& file) { return file.path.starts_with(prefix); });
}

bool is_source(std::string_view path) {
  static constexpr std::array<std::string_view, 10> kExtensions = {
      ".h", ".cuh", ".cpp", ".cu", ".inc", ".cmake", ".in", ".sh", ".py", ".md"};
  static constexpr std::array<std::string_view, 7> kNames = {
      "CMakeLists.txt", "CMakePresets.json", ".clang-format", ".clang-tidy",
      ".gitignore",     ".gitattributes",    "LICENSE"};
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return one_of(extension_of(name), kExtensions) || one_of(name, kNames) || path == ".ci/run";
}

bool is_header(std::string_view path) { return path.ends_with(".h") || path.ends_with(".cuh"); }

bool is_cpp_code(std::string_view path) {
  return is_header(path) || is_compiled(path) || path.ends_with(".inc");
}

bool is_compiled(std::string_view path) { return path.ends_with(".cpp") || path.ends_with(".cu"); }

std::string_view room_of(std::string_view path) {
  const size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view directory_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

SourceTree load_tree(const fs::path& root) {
  SourceTree tree;
  std::set<std::string, std::less<>> rooms_with_source;
  for (auto entry = fs::recursive_directory_iterator(root);
       entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string relative = entry->path().lexically_relative(root).generic_string();
    if (entry->is_directory() &&
        is_ignored_directory(relative, entry->path().filename().string())) {
      entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file()) continue;
    const bool source = is_source(relative);
    tree.files.push_back({relative, source ? read_text(entry->path()) : std::string{}});
    if (source) rooms_with_source.emplace(room_of(relative));
  }
  std::erase_if(tree.files, [&](const SourceFile& file) {
    const std::string_view room = room_of(file.path);
    return room.empty() ? !is_source(file.path) : !rooms_with_source.contains(room);
  });
  std::sort(tree.files.begin(), tree.files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return tree;
}

}  // namespace mrcnn::structure

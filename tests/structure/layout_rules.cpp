#include <algorithm>
#include <array>
#include <string_view>

#include "tests/structure/rules.h"
#include "tests/structure/text_scan.h"

namespace mrcnn::structure {
namespace {

constexpr size_t kMaxLines = 400;

// Everything that may lie in the root.
constexpr std::array<std::string_view, 17> kTopLevel = {"core",
                                                        "kernels",
                                                        "layers",
                                                        "models",
                                                        "data",
                                                        "tools",
                                                        "tests",
                                                        "docs",
                                                        ".ci",
                                                        "CMakeLists.txt",
                                                        "CMakePresets.json",
                                                        "README.md",
                                                        "LICENSE",
                                                        ".clang-format",
                                                        ".clang-tidy",
                                                        ".gitignore",
                                                        ".gitattributes"};

// What the comment in front of every op states.
constexpr std::array<std::string_view, 3> kContract = {
    "Gradient:", "Deterministic:", "Syncs host:"};

bool has_word_of_contract(const SourceFile& header) {
  return std::any_of(kContract.begin(), kContract.end(), [&](std::string_view word) {
    return header.text.find(word) != std::string::npos;
  });
}

std::string without_suffix(const std::string& path, std::string_view suffix) {
  return path.substr(0, path.size() - suffix.size());
}

// Does CMake text name this source: "io/file.cpp", or "infer" in mrcnn_program(infer)?
bool names_source(std::string_view cmake, std::string_view source) {
  const auto stands_alone = [&](std::string_view text, std::string_view before,
                                std::string_view after) {
    for (size_t at = cmake.find(text); at != std::string_view::npos;
         at = cmake.find(text, at + 1)) {
      const size_t end = at + text.size();
      if ((at == 0 || before.find(cmake[at - 1]) != std::string_view::npos) && end < cmake.size() &&
          after.find(cmake[end]) != std::string_view::npos) {
        return true;
      }
    }
    return false;
  };
  const std::string_view stem = source.substr(0, source.rfind('.'));
  return stands_alone(source, " \n(/\"", " \n)\"") ||
         stands_alone("mrcnn_program(" + std::string(stem) + ")", " \n", " \n");
}

// The CMakeLists.txt of the closest directory above a file that has one.
const SourceFile* closest_cmake(const SourceTree& tree, std::string_view path) {
  for (std::string_view directory = directory_of(path); !directory.empty();
       directory = directory_of(directory)) {
    const SourceFile* cmake = tree.find(std::string(directory) + "/CMakeLists.txt");
    if (cmake != nullptr) return cmake;
  }
  return nullptr;
}

}  // namespace

Findings check_top_level(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    const std::string_view room = room_of(file.path);
    const std::string_view entry = room.empty() ? std::string_view(file.path) : room;
    if (std::find(kTopLevel.begin(), kTopLevel.end(), entry) == kTopLevel.end()) {
      findings.push_back(
          finding(file.path, 0, "the root holds only what docs/architecture.md names"));
    }
  }
  return findings;
}

Findings check_op_files(const SourceTree& tree) {
  Findings findings;
  const auto require = [&](const std::string& path, const std::string& partner) {
    if (!tree.has_file(partner)) findings.push_back(finding(path, 0, "needs " + partner));
  };
  for (const SourceFile& file : tree.files) {
    const std::string& path = file.path;
    if (room_of(path) != "kernels" || !is_cpp_code(path)) continue;
    if (directory_of(path) == "kernels") {
      findings.push_back(finding(path, 0, "an op lies in kernels/<family>/"));
    }
    for (const std::string_view suffix : {"_cpu.cpp", "_cuda.cu"}) {
      if (!path.ends_with(suffix)) continue;
      const std::string stem = without_suffix(path, suffix);
      require(path, stem + ".h");
      require(path, stem + "_cpu.cpp");
      // What several ops share, such as the order of scores, has no glue and no contract.
      const SourceFile* header = tree.find(stem + ".h");
      const bool is_op = tree.has_file(stem + ".cpp") || (header && has_word_of_contract(*header));
      if (!is_op) continue;
      require(path, stem + ".cpp");
      require(path, "tests/" + stem + "_test.cpp");
      if (!header) continue;
      for (const std::string_view word : kContract) {
        if (header->text.find(word) == std::string::npos) {
          findings.push_back(
              finding(header->path, 0, "the op's contract does not state " + std::string(word)));
        }
      }
    }
  }
  return findings;
}

Findings check_sources_listed(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!is_compiled(file.path)) continue;
    const SourceFile* cmake = closest_cmake(tree, file.path);
    if (cmake == nullptr) {
      findings.push_back(finding(file.path, 0, "no CMakeLists.txt above it"));
      continue;
    }
    const std::string_view relative =
        std::string_view(file.path).substr(directory_of(cmake->path).size() + 1);
    if (!names_source(cmake->text, relative)) {
      findings.push_back(
          finding(file.path, 0, "is not built: " + cmake->path + " does not name it"));
    }
  }
  return findings;
}

Findings check_file_lengths(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (file.path == "LICENSE") continue;
    const size_t lines = split_lines(file.text).size();
    if (lines > kMaxLines) {
      findings.push_back(finding(file.path, 0,
                                 "has " + std::to_string(lines) + " lines, at most " +
                                     std::to_string(kMaxLines) + ": split it by idea"));
    }
  }
  return findings;
}

}  // namespace mrcnn::structure

#include <algorithm>
#include <array>
#include <string_view>

#include "tests/structure/rules.h"
#include "tests/structure/text_scan.h"

namespace mrcnn::structure {
namespace {

constexpr std::array<std::string_view, 7> kRooms = {"core", "kernels", "layers", "models",
                                                    "data", "tools",   "tests"};

bool is_room(std::string_view name) {
  return std::find(kRooms.begin(), kRooms.end(), name) != kRooms.end();
}

// The one header of the models that data sets and evaluation share with them.
constexpr std::string_view kSharedModelHeader = "models/detection/instances.h";

bool may_include(std::string_view room, std::string_view target) {
  const std::string_view target_room = room_of(target);
  if (room == "tests") return true;
  if (room == "tools") return target_room != "tests";
  if (room == "data") {
    return target_room == "core" || target_room == "data" || target == kSharedModelHeader;
  }
  // core < kernels < layers < models: the order of kRooms.
  const auto height = [](std::string_view name) {
    return std::find(kRooms.begin(), kRooms.begin() + 4, name) - kRooms.begin();
  };
  return height(target_room) <= height(room) && height(target_room) < 4;
}

struct ThirdParty {
  std::string_view prefix;         // of the included path
  std::string_view rooms;          // space-separated; where it may be included
  bool allowed_in_headers = true;  // false for those that take seconds to compile
};
constexpr std::array<ThirdParty, 10> kThirdParty = {{
    {"oneapi/dnnl", "kernels tests"},
    {"dnnl", "kernels tests"},
    {"turbojpeg.h", "data tests"},
    {"png.h", "data tests"},
    {"expat.h", "data"},
    {"simdjson", "core models data tools tests", false},
    {"CLI/", "tools tests", false},
    {"doctest/", "tests"},
    {"regex", "", false},
    {"iostream", "tools tests", false},
}};

constexpr std::array<std::string_view, 9> kCudaPrefixes = {
    "cuda", "cudnn", "cublas", "cub/", "thrust/", "nccl", "nvtx3/", "cooperative_groups", "mma.h"};

// The vendor's libraries are wrapped in folders of their names.
bool may_speak_cuda(std::string_view path) {
  return path.ends_with("_cuda.cu") || path.ends_with(".cuh") || path.starts_with("core/cuda/") ||
         path.starts_with("kernels/conv/cudnn/") || path.starts_with("kernels/linalg/cublaslt/") ||
         path.starts_with("tests/emulation/");
}

bool may_mention_cuda_flag(std::string_view path) {
  return path == "core/dispatch.h" || path == "core/device.cpp" || !is_cpp_code(path);
}

}  // namespace

Findings check_include_arrows(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    const std::string_view room = room_of(file.path);
    if (!is_cpp_code(file.path) || !is_room(room)) continue;
    for (const Include& include : includes_of(file.text)) {
      const std::string target(include.target);
      const auto report = [&](const std::string& problem) {
        findings.push_back(finding(file.path, include.line, problem));
      };
      if (!include.quoted) {
        if (is_room(room_of(target))) report("write \"" + target + "\" with quotes");
      } else if (!tree.has_file(target)) {
        report("\"" + target + "\" is no file, seen from the root of the repository");
      } else if (!may_include(room, target)) {
        report("the include of \"" + target + "\" points up: " + std::string(room) +
               " may not use it");
      }
    }
  }
  return findings;
}

Findings check_third_party_places(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!is_cpp_code(file.path)) continue;
    for (const Include& include : includes_of(file.text)) {
      for (const ThirdParty& library : kThirdParty) {
        if (include.quoted || !include.target.starts_with(library.prefix)) continue;
        const std::string name = "<" + std::string(include.target) + ">";
        if (find_word(library.rooms, room_of(file.path)) == std::string_view::npos) {
          findings.push_back(finding(file.path, include.line, name + " does not belong here"));
        } else if (is_header(file.path) && !library.allowed_in_headers) {
          findings.push_back(finding(file.path, include.line,
                                     name + " is slow to compile: include it in a .cpp only"));
        }
        break;
      }
    }
  }
  return findings;
}

Findings check_cuda_places(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!may_mention_cuda_flag(file.path) &&
        find_word(code_only(file.text), "MRCNN_WITH_CUDA") != std::string_view::npos) {
      findings.push_back(finding(file.path, 0, "only dispatch and CMake know MRCNN_WITH_CUDA"));
    }
    if (!is_cpp_code(file.path) || may_speak_cuda(file.path)) continue;
    for (const Include& include : includes_of(file.text)) {
      const bool is_cuda =
          !include.quoted &&
          std::any_of(kCudaPrefixes.begin(), kCudaPrefixes.end(),
                      [&](std::string_view prefix) { return include.target.starts_with(prefix); });
      if (is_cuda) {
        findings.push_back(finding(file.path, include.line,
                                   "CUDA headers belong in *_cuda.cu, *.cuh and core/cuda/"));
      }
    }
    if (code_only(file.text).find("<<<") != std::string::npos) {
      findings.push_back(finding(file.path, 0, "kernels are launched in *_cuda.cu only"));
    }
  }
  return findings;
}

}  // namespace mrcnn::structure

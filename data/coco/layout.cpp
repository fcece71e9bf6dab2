#include "data/coco/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/exit_code.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> kAnnotationFolders = {"annotations", "annotations/annotations",
                                                           ""};
constexpr std::string_view kPrefix = "instances_";
constexpr std::string_view kSuffix = ".json";

std::string join(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

// Splits whose annotations lie in any of the places, sorted.
std::vector<std::string> splits_in(const fs::path& dir) {
  std::vector<std::string> splits;
  for (const char* folder : kAnnotationFolders) {
    std::error_code error;
    for (fs::directory_iterator entry(dir / folder, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (name.starts_with(kPrefix) && name.ends_with(kSuffix) &&
          name.size() > kPrefix.size() + kSuffix.size()) {
        splits.push_back(
            name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size()));
      }
    }
  }
  std::sort(splits.begin(), splits.end());
  splits.erase(std::unique(splits.begin(), splits.end()), splits.end());
  return splits;
}

std::string find_annotations(const fs::path& dir, const std::string& split) {
  std::vector<std::string> looked_for;
  for (const char* folder : kAnnotationFolders) {
    const fs::path path = dir / folder / fmt::format("{}{}{}", kPrefix, split, kSuffix);
    std::error_code error;
    if (fs::exists(path, error)) return path.string();
    looked_for.push_back(path.string());
  }
  const std::vector<std::string> splits = splits_in(dir);
  const std::string remedy =
      splits.empty() ? "unpack the annotations there, or name the folder that holds annotations/"
                     : "annotations are there for: " + join(splits, ", ");
  throw FileError(ExitCode::kData, dir.string(), "",
                  fmt::format("has no annotations for the split {}: looked for {}; {}", split,
                              join(looked_for, ", "), remedy));
}

std::string find_images(const fs::path& dir, const std::string& split) {
  std::error_code error;
  const fs::path nested = dir / split / split;
  if (fs::is_directory(nested, error)) return nested.string();
  const fs::path plain = dir / split;
  if (fs::is_directory(plain, error)) return plain.string();
  throw FileError(ExitCode::kData, dir.string(), "",
                  fmt::format("has no images for the split {}: looked for {}/ and {}/; unpack "
                              "{}.zip in {}, or name the images' folder",
                              split, nested.string(), plain.string(), split, dir.string()));
}

}  // namespace

CocoLayout find_coco_layout(const std::string& dir, const std::string& split) {
  std::error_code error;
  if (!fs::is_directory(dir, error)) {
    throw FileError(ExitCode::kData, dir, "", "is no folder: a COCO data set is one");
  }
  return {find_annotations(dir, split), find_images(dir, split)};
}

}  // namespace mrcnn

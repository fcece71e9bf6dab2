#include "data/voc/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>

#include "core/error.h"
#include "core/io/file.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSplitFolder = "ImageSets/Segmentation";

bool is_root(const fs::path& dir) {
  std::error_code ignored;
  return fs::is_directory(dir / kSplitFolder, ignored);
}

// Entries of a folder, sorted; none if it cannot be read.
std::vector<fs::path> entries(const fs::path& dir) {
  std::vector<fs::path> list;
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    list.push_back(it->path());
  }
  std::sort(list.begin(), list.end());
  return list;
}

std::string known_splits(const std::string& root) {
  std::vector<std::string> names;
  for (const fs::path& path : entries(fs::path(root) / kSplitFolder)) {
    if (path.extension() == ".txt") names.push_back(path.stem().string());
  }
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

bool is_plain_name(std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  return name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.size() <= 200 && std::none_of(name.begin(), name.end(), is_control);
}

}  // namespace

std::vector<std::string> voc_roots(const std::string& dir) {
  if (is_root(dir)) return {dir};
  std::vector<std::string> found;
  for (const fs::path& parent : {fs::path(dir), fs::path(dir) / "VOCdevkit"}) {
    for (const fs::path& path : entries(parent)) {
      if (path.filename().string().starts_with("VOC") && is_root(path)) {
        found.push_back(path.string());
      }
    }
  }
  return found;
}

std::string find_voc_root(const std::string& dir) {
  const std::vector<std::string> found = voc_roots(dir);
  if (found.empty()) {
    throw FileError(ExitCode::kData, dir, "",
                    fmt::format("not a PASCAL VOC data set with masks: there is no {} in it, in a "
                                "folder VOC* or in VOCdevkit/VOC*",
                                kSplitFolder));
  }
  if (found.size() > 1) {
    throw FileError(
        ExitCode::kData, dir, "",
        fmt::format("holds more than one data set, name one of them: {}", fmt::join(found, ", ")));
  }
  return found.front();
}

std::vector<std::string> read_voc_split(const std::string& root, const std::string& split) {
  const std::string path = voc_split_path(root, split);
  std::error_code ignored;
  if (split.empty() || !is_plain_name(split) || !fs::exists(path, ignored)) {
    throw UsageError(
        fmt::format("no split '{}' in {}; there are: {}", split, root, known_splits(root)));
  }
  const FileBytes file = read_file(path, ExitCode::kData);
  std::string_view rest(static_cast<const char*>(static_cast<const void*>(file.bytes.data())),
                        file.bytes.size());
  std::vector<std::string> names;
  std::set<std::string_view> seen;
  for (int64_t line = 1; !rest.empty(); ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view name = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const size_t last = name.find_last_not_of(" \t\r");
    name = name.substr(0, last == std::string_view::npos ? 0 : last + 1);
    if (name.empty()) continue;
    const auto fail = [&](const std::string& problem) {
      throw FileError(ExitCode::kData, path, fmt::format("line {}", line), problem);
    };
    if (!is_plain_name(name)) fail("not the name of an image");
    if (!seen.insert(name).second) fail(fmt::format("{} is listed twice", name));
    names.emplace_back(name);
  }
  if (names.empty()) throw FileError(ExitCode::kData, path, "", "lists no image");
  return names;
}

std::string voc_split_path(const std::string& root, const std::string& split) {
  return (fs::path(root) / kSplitFolder / (split + ".txt")).string();
}

std::string voc_annotation_path(const std::string& root, const std::string& name) {
  return (fs::path(root) / "Annotations" / (name + ".xml")).string();
}

std::string voc_mask_path(const std::string& root, const std::string& name) {
  return (fs::path(root) / "SegmentationObject" / (name + ".png")).string();
}

std::string voc_image_path(const std::string& root, const std::string& name) {
  const std::string stem = (fs::path(root) / "JPEGImages" / name).string();
  for (const char* extension : {".jpg", ".jpeg", ".png"}) {
    std::error_code ignored;
    if (fs::exists(stem + extension, ignored)) return stem + extension;
  }
  throw FileError(ExitCode::kData, stem + ".jpg", "", "no such image");
}

}  // namespace mrcnn

#include "tools/infer/naming.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "core/error.h"

namespace mrcnn {
namespace {

// The number that the whole stem of the file name spells. 18 digits always fit.
std::optional<int64_t> number_of(const InputImage& image) {
  const std::string stem = std::filesystem::path(image.path).stem().string();
  const bool digits = !stem.empty() && stem.size() <= 18 &&
                      stem.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) return std::nullopt;
  int64_t number = 0;
  std::from_chars(stem.data(), stem.data() + stem.size(), number);
  return number;
}

}  // namespace

std::vector<int64_t> assign_image_ids(std::span<const InputImage> images) {
  std::map<int64_t, int64_t> uses;
  for (const InputImage& image : images) {
    if (const auto number = number_of(image)) ++uses[*number];
  }
  std::set<int64_t> taken;
  for (const auto& [number, count] : uses) {
    if (count == 1) taken.insert(number);
  }
  std::vector<int64_t> ids;
  int64_t next_free = 1;
  for (size_t i = 0; i < images.size(); ++i) {
    const auto number = number_of(images[i]);
    if (number && uses[*number] == 1) {
      ids.push_back(*number);
      continue;
    }
    // Never going back makes a long run of taken numbers cheap, and ids follow the order.
    next_free = std::max(next_free, static_cast<int64_t>(i) + 1);
    while (!taken.insert(next_free).second) ++next_free;
    ids.push_back(next_free);
  }
  return ids;
}

std::vector<std::string> assign_picture_names(std::span<const InputImage> images) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const InputImage& image : images) {
    names.push_back(std::filesystem::path(image.relative).replace_extension().string());
    taken.insert(names.back());
  }
  std::map<std::string, int64_t> uses;
  for (std::string& name : names) {
    int64_t& count = uses[name];
    if (++count == 1) continue;
    std::string other = fmt::format("{}-{}", name, count);
    while (!taken.insert(other).second) other = fmt::format("{}-{}", name, ++count);
    name = other;
  }
  return names;
}

std::string picture_path(const std::string& directory, const std::string& picture_name) {
  return (std::filesystem::path(directory) / (picture_name + ".png")).string();
}

std::string make_picture_path(const std::string& directory, const std::string& picture_name) {
  const std::filesystem::path path(picture_path(directory, picture_name));
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) {
    throw FileError(ExitCode::kResources, path.parent_path().string(), "",
                    "cannot be made a directory: " + error.message());
  }
  return path.string();
}

}  // namespace mrcnn

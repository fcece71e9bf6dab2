#include "tools/dataset/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "core/error.h"
#include "core/parallel.h"
#include "data/image/image.h"
#include "data/image/write.h"
#include "tools/dataset/contact_sheet.h"
#include "tools/draw/overlay.h"
#include "tools/draw/thumbnail.h"
#include "tools/infer/naming.h"

namespace mrcnn {
namespace {

// Of a set with one class that would be the same name everywhere, so objects get colours of their
// own instead.
std::vector<OverlayItem> items_of(const Dataset& dataset, int64_t index,
                                  const std::map<int64_t, std::string>& names) {
  const bool is_one_class = names.size() == 1;
  std::vector<OverlayItem> items;
  for (const DatasetObject& object : dataset.objects(index)) {
    OverlayItem item;
    if (!object.mask.counts.empty()) item.mask = object.mask;
    for (size_t side = 0; side < 4; ++side) item.box[side] = static_cast<float>(object.box[side]);
    item.label = is_one_class ? static_cast<int64_t>(items.size()) + 1 : object.label;
    if (!is_one_class) item.text = names.at(object.label);
    if (object.crowd) item.text += is_one_class ? "crowd" : " (crowd)";
    items.push_back(std::move(item));
  }
  return items;
}

// By which a picture is shrunk to become a tile.
double tile_factor(const Tensor& image) {
  return std::max({static_cast<double>(image.size(0)) / static_cast<double>(kTileHeight),
                   static_cast<double>(image.size(1)) / static_cast<double>(kTileWidth), 1.0});
}

// With lines so wide that they are a pixel wide on the tile.
Tensor draw_tile(const Tensor& image, const std::vector<OverlayItem>& items) {
  const double factor = tile_factor(image);
  const auto scale = std::clamp<int64_t>(std::lround(factor), 1, 7);
  const auto longer = static_cast<double>(std::max(image.size(0), image.size(1)));
  return thumbnail(draw_overlay(image, items, {.scale = scale}),
                   {0, 0, image.size(0), image.size(1)}, static_cast<int64_t>(longer / factor));
}

Tensor load_annotated(const DatasetImage& image) {
  // Annotations belong to the picture as it is stored.
  Tensor pixels = load_image(image.path, {.exif = ExifPolicy::kIgnore}).pixels;
  if (pixels.size(0) != image.height || pixels.size(1) != image.width) {
    throw FileError(ExitCode::kData, image.path, "",
                    fmt::format("is {}x{} pixels, but annotated as {}x{}", pixels.size(1),
                                pixels.size(0), image.width, image.height));
  }
  return pixels;
}

}  // namespace

std::vector<int64_t> spread_evenly(int64_t size, int64_t wanted) {
  const int64_t count = wanted == 0 ? size : std::min(size, wanted);
  std::vector<int64_t> indices;
  for (int64_t k = 0; k < count; ++k) indices.push_back(k * size / count);
  return indices;
}

ShowResult show_annotations(const Dataset& dataset, const ShowOptions& options) {
  const std::vector<int64_t> shown = spread_evenly(dataset.size(), options.images);
  const auto count = static_cast<int64_t>(shown.size());
  std::map<int64_t, std::string> names;
  for (const DatasetClass& one : dataset.classes()) names[one.label] = one.name;
  std::vector<InputImage> inputs;
  for (const int64_t index : shown) {
    const DatasetImage image = dataset.image(index);
    inputs.push_back({image.path, image.file_name});
  }
  const std::vector<std::string> picture_names = assign_picture_names(inputs);
  std::set<int64_t> on_sheet;
  for (const int64_t k : spread_evenly(count, kMostTiles)) on_sheet.insert(k);

  const std::string folder = (std::filesystem::path(options.out) / "images").string();
  std::vector<std::string> problems(shown.size());
  std::vector<Tile> tiles(shown.size());
  parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const auto slot = static_cast<size_t>(k);
      const DatasetImage image = dataset.image(shown[slot]);
      Tensor pixels;
      try {
        pixels = load_annotated(image);
      } catch (const FileError& error) {
        if (error.exit_code() != ExitCode::kData) throw;
        problems[slot] = error.what();
        continue;
      }
      const std::vector<OverlayItem> items = items_of(dataset, shown[slot], names);
      write_image(make_picture_path(folder, picture_names[slot]), draw_overlay(pixels, items));
      if (!on_sheet.contains(k)) continue;
      tiles[slot] = {draw_tile(pixels, items), image.file_name};
    }
  });

  ShowResult result;
  for (const std::string& problem : problems) {
    if (!problem.empty()) result.problems.push_back(problem);
  }
  std::erase_if(tiles, [](const Tile& tile) { return !tile.picture.defined(); });
  result.written = count - static_cast<int64_t>(result.problems.size());
  if (result.written == 0) {
    throw FileError(ExitCode::kData, dataset.name(), "",
                    result.problems.empty() ? "has no images"
                                            : "no picture can be shown: " + result.problems[0]);
  }
  result.contact_sheet = (std::filesystem::path(options.out) / "contact_sheet.png").string();
  write_image(result.contact_sheet, draw_contact_sheet(tiles, options.columns));
  return result;
}

}  // namespace mrcnn

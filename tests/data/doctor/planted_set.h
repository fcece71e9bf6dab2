// A small good data set, and ways to spoil it.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/image/write.h"
#include "data/masks/rle.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_image.h"

namespace mrcnn::test {

inline constexpr int64_t kPlantedHeight = 48;
inline constexpr int64_t kPlantedWidth = 64;

// A JSON object that is being written: keys in order, values as JSON.
struct PlantedElement {
  std::vector<std::pair<std::string, std::string>> fields;
  std::string raw = {};  // taken instead if it is not empty

  void set(const std::string& key, const std::string& value) {
    for (auto& field : fields) {
      if (field.first == key) field.second = value;
    }
  }
  void erase(const std::string& key) {
    std::erase_if(fields, [&key](const auto& field) { return field.first == key; });
  }
  void add(const std::string& key, const std::string& value) { fields.emplace_back(key, value); }

  std::string text() const {
    if (!raw.empty()) return raw;
    std::string out = "{";
    for (const auto& [key, value] : fields) {
      out += fmt::format("{}\"{}\": {}", out.size() > 1 ? ", " : "", key, value);
    }
    return out + "}";
  }
};

inline std::string rectangle_polygon(double x, double y, double w, double h) {
  return fmt::format("[[{0},{1},{2},{1},{2},{3},{0},{3}]]", x, y, x + w, y + h);
}

inline Rle rectangle_mask(int64_t x, int64_t y, int64_t w, int64_t h) {
  std::vector<uint8_t> bitmap(static_cast<size_t>(kPlantedHeight * kPlantedWidth), 0);
  for (int64_t row = y; row < y + h; ++row) {
    for (int64_t column = x; column < x + w; ++column) {
      bitmap[static_cast<size_t>(row * kPlantedWidth + column)] = 1;
    }
  }
  return rle_from_bitmap(bitmap, kPlantedHeight, kPlantedWidth);
}

struct PlantedSet {
  std::vector<PlantedElement> categories;
  std::vector<PlantedElement> images;
  std::vector<PlantedElement> annotations;

  // Bytes where the elements of each section begin; filled by text().
  std::vector<int64_t> category_bytes = {};
  std::vector<int64_t> image_bytes = {};
  std::vector<int64_t> annotation_bytes = {};

  std::string text() {
    std::string out = "{\"info\": {\"year\": 2017},\n";
    const auto section = [&out](const char* name, const std::vector<PlantedElement>& elements,
                                std::vector<int64_t>& bytes) {
      bytes.clear();
      out += fmt::format("\"{}\": [\n", name);
      for (size_t i = 0; i < elements.size(); ++i) {
        if (i > 0) out += ",\n";
        bytes.push_back(static_cast<int64_t>(out.size()));
        out += elements[i].text();
      }
      out += "]";
    };
    section("annotations", annotations, annotation_bytes);
    out += ",\n";
    section("images", images, image_bytes);
    out += ", \"licenses\": [],\n";
    section("categories", categories, category_bytes);
    return out + "}\n";
  }
};

inline PlantedElement good_category(int64_t id) {
  return {.fields = {{"id", std::to_string(id)}, {"name", fmt::format("\"class {}\"", id)}}};
}

inline PlantedElement good_image(int64_t id, const std::string& file_name) {
  return {.fields = {{"id", std::to_string(id)},
                     {"file_name", "\"" + file_name + "\""},
                     {"height", std::to_string(kPlantedHeight)},
                     {"width", std::to_string(kPlantedWidth)}}};
}

// A rectangle of 10x8 pixels at a place of its own in its image.
inline PlantedElement good_annotation(int64_t id, int64_t image_id) {
  const int64_t x = (id * 7) % 50;
  const int64_t y = (id * 5) % 38;
  const Rle mask = rectangle_mask(x, y, 10, 8);
  std::string shape = rectangle_polygon(static_cast<double>(x), static_cast<double>(y), 10, 8);
  if (id % 3 == 1) {
    std::string counts = rle_to_string(mask);
    for (size_t at = 0; (at = counts.find('\\', at)) != std::string::npos; at += 2) {
      counts.insert(at, "\\");
    }
    shape = fmt::format("{{\"size\": [48, 64], \"counts\": \"{}\"}}", counts);
  } else if (id % 3 == 2) {
    shape = fmt::format("{{\"size\": [48, 64], \"counts\": [{}]}}", fmt::join(mask.counts, ","));
  }
  return {.fields = {{"id", std::to_string(id)},
                     {"image_id", std::to_string(image_id)},
                     {"category_id", std::to_string(1 + id % 3)},
                     {"bbox", fmt::format("[{}, {}, 10, 8]", x, y)},
                     {"area", "80"},
                     {"iscrowd", id % 15 == 2 ? "1" : "0"},
                     {"segmentation", shape},
                     {"note", "\"kept \\\"as\\\" it is\""}}};
}

// Three categories, ten images and sixty annotations; writes the pictures.
inline PlantedSet good_set(const TemporaryDirectory& folder) {
  PlantedSet set;
  for (int64_t id = 1; id <= 3; ++id) set.categories.push_back(good_category(id));
  const Tensor picture = test_image(kPlantedHeight, kPlantedWidth, 3);
  for (int64_t id = 101; id <= 110; ++id) {
    const std::string name = fmt::format("{}.{}", id, id % 2 == 0 ? "png" : "jpg");
    folder.write("pictures/unused");
    write_image(folder / ("pictures/" + name), picture);
    set.images.push_back(good_image(id, name));
  }
  for (int64_t id = 1; id <= 60; ++id) {
    set.annotations.push_back(good_annotation(id, 101 + id % 10));
  }
  return set;
}

}  // namespace mrcnn::test

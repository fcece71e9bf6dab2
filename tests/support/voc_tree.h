// A toy data set in the layout of PASCAL VOC.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/image/write.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn::test {

struct VocTreeObject {
  std::string name;
  std::array<int, 4> box;  // xmin, ymin, xmax, ymax as in the files: from 1, both ends included
};

inline std::string voc_xml(int height, int width, const std::vector<VocTreeObject>& objects) {
  const auto tag = [](const std::string& name, const std::string& text) {
    return "<" + name + ">" + text + "</" + name + ">";
  };
  std::string text = tag("size", tag("width", std::to_string(width)) +
                                     tag("height", std::to_string(height)) + tag("depth", "3"));
  for (const VocTreeObject& object : objects) {
    const auto& [x1, y1, x2, y2] = object.box;
    const std::string box = tag("xmin", std::to_string(x1)) + tag("ymin", std::to_string(y1)) +
                            tag("xmax", std::to_string(x2)) + tag("ymax", std::to_string(y2));
    text +=
        tag("object", tag("name", object.name) + tag("difficult", "0") + tag("bndbox", box)) + "\n";
  }
  return tag("annotation", "\n" + text);
}

// rows: one character a pixel: '.' background, '1'..'9' objects, '#' void.
inline void write_voc_mask(const std::string& path, const std::vector<std::string>& rows) {
  std::vector<uint8_t> indices;
  for (const std::string& row : rows) {
    for (const char c : row) {
      indices.push_back(static_cast<uint8_t>(c == '.' ? 0 : c == '#' ? 255 : c - '0'));
    }
  }
  std::array<RgbColour, 256> palette{};
  for (size_t i = 0; i < 256; ++i) palette[i][0] = static_cast<uint8_t>(i);
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  write_png(path, {.height = static_cast<int64_t>(rows.size()),
                   .width = static_cast<int64_t>(rows[0].size()),
                   .format = PngFormat::kPalette8,
                   .pixels = std::as_bytes(std::span(indices)),
                   .palette = palette});
}

// One image with its three files; its name is not put into a split.
inline void add_voc_image(const TemporaryDirectory& folder, const std::string& root,
                          const std::string& name, const std::vector<std::string>& rows,
                          const std::vector<VocTreeObject>& objects) {
  const auto height = static_cast<int>(rows.size());
  const auto width = static_cast<int>(rows[0].size());
  folder.write(root + "/Annotations/" + name + ".xml", voc_xml(height, width, objects));
  write_voc_mask(folder / (root + "/SegmentationObject/" + name + ".png"), rows);
  std::filesystem::create_directories(folder / (root + "/JPEGImages"));
  write_jpeg(folder / (root + "/JPEGImages/" + name + ".jpg"),
             Tensor::zeros(Shape{height, width, 3}, DType::kU8));
}

// Two images, three objects: a cat beside a dog with a void border, and a person. The split "train"
// lists both, "val" the person.
inline void write_voc_tree(const TemporaryDirectory& folder, const std::string& root) {
  add_voc_image(folder, root, "2007_000032",
                {"........", ".11#.22.", ".11#.22.", ".##..22.", "........"},
                {{"cat", {2, 2, 4, 4}}, {"dog", {6, 2, 7, 4}}});
  add_voc_image(folder, root, "2007_000001", {"111", "111", "1.1"}, {{"person", {1, 1, 3, 3}}});
  folder.write(root + "/ImageSets/Segmentation/train.txt", "2007_000032\n2007_000001\r\n\n");
  folder.write(root + "/ImageSets/Segmentation/val.txt", "2007_000001");
}

}  // namespace mrcnn::test

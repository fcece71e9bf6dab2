// Small annotation files for tests, valid unless a part is replaced.
#pragma once

#include <string>

namespace mrcnn::test {

inline const std::string kImages =
    R"([{"id": 7, "file_name": "a.jpg", "height": 4, "width": 5},)"
    R"( {"id": 3, "file_name": "sub/b.jpg", "height": 6, "width": 8}])";
inline const std::string kCategories = R"([{"id": 1, "name": "cat"}, {"id": 3, "name": "dog"}])";
inline const std::string kPolygon = "[[1, 1, 1, 3, 4, 3, 4, 1]]";  // of 3x2 pixels

// Fields left "" are left out.
struct AnnotationText {
  std::string id = "11";
  std::string image_id = "7";
  std::string category_id = "3";
  std::string bbox = "[1, 1, 3, 2]";
  std::string area = "6.0";
  std::string iscrowd = "0";
  std::string segmentation = kPolygon;

  std::string text() const {
    std::string text;
    const auto add = [&text](const char* key, const std::string& value) {
      if (value.empty()) return;
      text += (text.empty() ? "\"" : ", \"") + std::string(key) + "\": " + value;
    };
    add("segmentation", segmentation);
    add("area", area);
    add("iscrowd", iscrowd);
    add("image_id", image_id);
    add("bbox", bbox);
    add("category_id", category_id);
    add("id", id);
    return "{" + text + "}";
  }
};

inline std::string annotation_file(const std::string& annotations,
                                   const std::string& images = kImages,
                                   const std::string& categories = kCategories) {
  return "{\"info\": {\"year\": 2017, \"a\": [1, {}, null, true, \"\\u00e9\"]}, \"images\": " +
         images + ", \"annotations\": " + annotations + ", \"categories\": " + categories + "}\n";
}

inline std::string annotation_file(const AnnotationText& annotation) {
  return annotation_file("[" + annotation.text() + "]");
}

}  // namespace mrcnn::test

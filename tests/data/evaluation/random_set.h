// Random sets of objects and detections, the ones of tests/golden/random_sets.py.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "data/evaluation/evaluated_objects.h"
#include "data/masks/polygon.h"
#include "data/masks/rle.h"
#include "tests/support/draws.h"

namespace mrcnn::test {

inline constexpr uint64_t kSetSeed = 40;
inline constexpr std::array<int64_t, 4> kSetCategories = {1, 3, 17, 90};

// A box in tenths of a pixel and what is drawn in it.
class RandomShape {
 public:
  RandomShape(Draws& draws, int64_t height, int64_t width) {
    constexpr std::array<int64_t, 3> kSides = {25, 70, 200};
    const int64_t side = kSides[static_cast<size_t>(draws.below(3))];
    w_ = 10 + draws.below(10 * std::min(side, width) - 9);
    h_ = 10 + draws.below(10 * std::min(side, height) - 9);
    if (draws.below(5) == 0) {
      const int64_t square = draws.below(2) == 0 ? 320 : 960;
      if (square <= 10 * std::min(height, width)) w_ = h_ = square;
    }
    x_ = draws.below(10 * width - w_ + 1);
    y_ = draws.below(10 * height - h_ + 1);
    kind_ = draws.below(3);
    holes_ = draws.below(11);
    corners_.resize(static_cast<size_t>(3 + draws.below(6)));
    for (auto& [x, y] : corners_) {
      x = draws.below(101);
      y = draws.below(101);
    }
  }

  RandomShape moved(Draws& draws) const {
    RandomShape shape = *this;
    shape.x_ += 5 * (draws.below(13) - 6);
    shape.y_ += 5 * (draws.below(13) - 6);
    shape.w_ = std::max<int64_t>(10, w_ + 10 * (draws.below(7) - 3));
    shape.h_ = std::max<int64_t>(10, h_ + 10 * (draws.below(7) - 3));
    return shape;
  }

  CocoBox box() const {
    const auto pixels = [](int64_t tenths) { return static_cast<double>(tenths) / 10; };
    return {pixels(x_), pixels(y_), pixels(w_), pixels(h_)};
  }

  Rle mask(int64_t height, int64_t width) const {
    return kind_ == 2 ? box_with_holes(height, width)
                      : rle_from_polygons(polygons(), height, width);
  }

 private:
  std::vector<std::vector<double>> polygons() const {
    std::vector<std::vector<double>> polygons(1);
    const auto add = [&](int64_t x, int64_t y) {  // hundredths of a pixel
      polygons.back().push_back(static_cast<double>(x) / 100);
      polygons.back().push_back(static_cast<double>(y) / 100);
    };
    for (const auto& [x, y] : corners_) add(10 * x_ + w_ * x / 10, 10 * y_ + h_ * y / 10);
    if (kind_ == 0) return polygons;
    polygons.emplace_back();
    const int64_t left = 10 * x_, top = 10 * y_, right = left + 5 * w_, bottom = top + 5 * h_;
    add(left, top);
    add(left, bottom);
    add(right, bottom);
    add(right, top);
    return polygons;
  }

  Rle box_with_holes(int64_t height, int64_t width) const {
    std::vector<uint8_t> bitmap(static_cast<size_t>(height * width));
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const bool inside = 10 * x >= x_ && 10 * x < x_ + w_ && 10 * y >= y_ && 10 * y < y_ + h_ &&
                            (7 * x + 13 * y + holes_) % 11 != 0;
        bitmap[static_cast<size_t>(y * width + x)] = inside ? 1 : 0;
      }
    }
    return rle_from_bitmap(bitmap, height, width);
  }

  int64_t x_ = 0, y_ = 0, w_ = 0, h_ = 0;
  int64_t kind_ = 0;  // a polygon, two of them, a box with holes
  int64_t holes_ = 0;
  std::vector<std::pair<int64_t, int64_t>> corners_;  // hundredths of the box
};

struct RandomImage {
  int64_t id = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::vector<EvaluatedTruth> truths;
  std::vector<EvaluatedDetection> detections;
};

class RandomSet {
 public:
  explicit RandomSet(uint32_t number) : strict_(number % 5 == 4) {
    Draws draws(kSetSeed, number);
    const int64_t num_used = 1 + draws.below(kSetCategories.size());
    const int64_t num_images = 1 + draws.below(6);
    for (int64_t i = 0; i < num_images; ++i) {
      RandomImage image;
      image.id = 10 * i + draws.below(10);
      image.height = 20 + draws.below(180);
      image.width = 20 + draws.below(230);
      const std::vector<RandomShape> shapes = add_truths(draws, num_used, image);
      add_detections(draws, shapes, image);
      images_.push_back(std::move(image));
    }
  }

  bool strict() const { return strict_; }
  const std::vector<RandomImage>& images() const { return images_; }

 private:
  static int64_t category(Draws& draws, int64_t num_used) {
    return kSetCategories[static_cast<size_t>(draws.below(num_used))];
  }

  std::vector<RandomShape> add_truths(Draws& draws, int64_t num_used, RandomImage& image) {
    constexpr std::array<double, 3> kAreas = {1024, 9216, 100};
    int64_t num_truths = draws.below(7);
    if (draws.below(5) == 0) num_truths = 0;
    std::vector<RandomShape> shapes;
    for (int64_t i = 0; i < num_truths; ++i) {
      EvaluatedTruth truth;
      truth.category = category(draws, num_used);
      const RandomShape& shape = shapes.emplace_back(draws, image.height, image.width);
      truth.crowd = draws.below(7) == 0;
      const auto area = static_cast<size_t>(draws.below(6));
      truth.id = next_id_++ - (strict_ ? 1 : 0);
      truth.box = shape.box();
      truth.mask = shape.mask(image.height, image.width);
      truth.area = area < kAreas.size() ? kAreas[area] : static_cast<double>(rle_area(truth.mask));
      image.truths.push_back(std::move(truth));
    }
    return shapes;
  }

  static void add_detections(Draws& draws, const std::vector<RandomShape>& shapes,
                             RandomImage& image) {
    int64_t num_detections = draws.below(10);
    const bool many = draws.below(15) == 0;
    const int64_t category_of_many = category(draws, kSetCategories.size());
    if (many) num_detections = 101 + draws.below(40);
    for (int64_t i = 0; i < num_detections; ++i) {
      EvaluatedDetection detection;
      const auto add = [&](const RandomShape& shape) {
        detection.box = shape.box();
        detection.mask = shape.mask(image.height, image.width);
      };
      if (draws.below(4) > 0 && !shapes.empty()) {
        const auto taken = static_cast<size_t>(draws.below(static_cast<int64_t>(shapes.size())));
        add(shapes[taken].moved(draws));
        detection.category = image.truths[taken].category;
        if (draws.below(8) == 0) detection.category = category(draws, kSetCategories.size());
      } else {
        add(RandomShape(draws, image.height, image.width));
        detection.category = category(draws, kSetCategories.size());
      }
      if (many) detection.category = category_of_many;
      detection.score = draws.below(2) == 0
                            ? static_cast<double>(1 + draws.below(12)) / 16
                            : static_cast<double>(draws.below(int64_t{1} << 24)) * 0x1p-24;
      image.detections.push_back(std::move(detection));
    }
  }

  bool strict_;
  int64_t next_id_ = 1;
  std::vector<RandomImage> images_;
};

}  // namespace mrcnn::test

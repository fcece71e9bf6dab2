#include "data/doctor/segmentation.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/error.h"
#include "data/doctor/clip_polygon.h"
#include "data/masks/polygon.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kLeastNumbers = 6;  // three corners

std::string as_json(const std::vector<std::vector<double>>& polygons) {
  std::string text = "[";
  for (const std::vector<double>& polygon : polygons) {
    fmt::format_to(std::back_inserter(text), "{}[{}]", text.size() > 1 ? "," : "",
                   fmt::join(polygon, ","));
  }
  return text + "]";
}

class PolygonReader {
 public:
  PolygonReader(Element& element, int64_t height, int64_t width)
      : element_(element), height_(height), width_(width) {}

  StatedMask read(dom::array list) {
    const bool is_flat = list.size() > 0 && !list.at(0).value().is_array();
    if (is_flat) {
      read_flat(list);
    } else {
      int64_t part = 0;
      for (const dom::element polygon : list) {
        read_part(polygon, fmt::format("segmentation[{}]", part++));
      }
    }
    if (mask_.polygons.empty()) {
      mask_.form = StatedMask::Form::kUnusable;
      element_.drop();
    } else {
      mask_.form = StatedMask::Form::kPolygons;
      if (changed_) element_.repair().fields["segmentation"] = as_json(mask_.polygons);
    }
    return std::move(mask_);
  }

 private:
  // A polygon where a list of polygons belongs.
  void read_flat(dom::array list) {
    const bool numbers =
        std::all_of(list.begin(), list.end(), [](dom::element one) { return one.is_number(); });
    const bool whole = numbers && list.size() >= kLeastNumbers && list.size() % 2 == 0;
    element_.report(FindingKind::kSegmentationMalformed, "segmentation",
                    numbers ? "is a flat list of numbers: a list of polygons belongs there"
                            : "is a list of other things than polygons",
                    whole ? Remedy::kPolygonWrapped : Remedy::kDropped);
    if (!whole) return;
    changed_ = true;
    read_numbers(list, "segmentation");
  }

  void read_part(dom::element value, const std::string& where) {
    dom::array numbers;
    if (value.get(numbers) == simdjson::SUCCESS) {
      read_numbers(numbers, where);
    } else {
      drop_part(FindingKind::kSegmentationMalformed, where,
                fmt::format("is {}: a polygon belongs there", type_name(value)));
    }
  }

  void drop_part(FindingKind kind, const std::string& where, const std::string& problem) {
    element_.report(kind, where, problem, Remedy::kPolygonDropped);
    changed_ = true;
  }

  void read_numbers(dom::array numbers, const std::string& where) {
    std::vector<double> corners;
    bool any_text = false;
    size_t index = 0;
    for (const dom::element value : numbers) {
      const NumberRead read = read_number(value);
      const std::string place = fmt::format("{}[{}]", where, index++);
      if (read.form == NumberRead::Form::kOther) {
        return drop_part(FindingKind::kWrongType, place,
                         fmt::format("is {}: a number belongs there", type_name(value)));
      }
      if (read.form == NumberRead::Form::kNotFinite ||
          std::abs(read.value) > kMaxPolygonCoordinate) {
        return drop_part(FindingKind::kPolygonNotFinite, place,
                         fmt::format("{} is no place in an image", shown_value(value)));
      }
      if (read.form == NumberRead::Form::kText && !any_text) {
        element_.report(FindingKind::kNumberAsString, place,
                        fmt::format("{} is a string: a number belongs there", shown_value(value)),
                        Remedy::kWrittenAsNumber);
        any_text = changed_ = true;
      }
      corners.push_back(read.value);
    }
    check_corners(std::move(corners), where);
  }

  void check_corners(std::vector<double> corners, const std::string& where) {
    if (corners.size() < kLeastNumbers) {
      const char* const quirk =
          corners.size() == 4 ? "; COCO's own tools read four numbers as a box" : "";
      return drop_part(FindingKind::kPolygonShort, where,
                       fmt::format("has {} numbers: a polygon has three corners or more{}",
                                   corners.size(), quirk));
    }
    if (corners.size() % 2 != 0) {
      element_.report(FindingKind::kPolygonOdd, where,
                      fmt::format("has {} numbers: corners are pairs", corners.size()),
                      Remedy::kPolygonTrimmed);
      corners.pop_back();
      changed_ = true;
    }
    clip(corners, where);
    if (!corners.empty()) mask_.polygons.push_back(std::move(corners));
  }

  void clip(std::vector<double>& corners, const std::string& where) {
    if (height_ == 0) return;
    double past = 0;
    for (size_t i = 0; i < corners.size(); ++i) {
      const auto side = static_cast<double>(i % 2 == 0 ? width_ : height_);
      past = std::max({past, -corners[i], corners[i] - side});
    }
    if (past <= kBorderTolerance) return;
    corners = clip_polygon(corners, static_cast<double>(height_), static_cast<double>(width_));
    const std::string problem =
        fmt::format("sticks out of the image of {}x{} by {:.6g} pixels", width_, height_, past);
    element_.report(FindingKind::kPolygonPastBorder, where, problem,
                    corners.empty() ? Remedy::kPolygonDropped : Remedy::kPolygonClipped);
    changed_ = true;
  }

  Element& element_;
  int64_t height_;
  int64_t width_;
  StatedMask mask_;
  bool changed_ = false;
};

class RleReader {
 public:
  RleReader(Element& element, int64_t image_height, int64_t image_width)
      : element_(element), image_height_(image_height), image_width_(image_width) {}

  StatedMask read(dom::object object) {
    StatedMask mask;
    mask.form = StatedMask::Form::kUnusable;
    if (read_size(object) && read_runs(object) && check_size() && check_sum()) {
      mask.rle = rle_from_counts(runs_, height_, width_);
      mask.form = StatedMask::Form::kRle;
    }
    return mask;
  }

 private:
  bool fail(FindingKind kind, const char* where, const std::string& problem) {
    element_.report(kind, where, problem, Remedy::kDropped);
    return false;
  }

  bool read_size(dom::object object) {
    dom::array size;
    std::array<int64_t, 2> sides{};
    if (object["size"].get(size) != simdjson::SUCCESS || size.size() != 2) {
      return fail(FindingKind::kRleMalformed, "segmentation",
                  "has no \"size\" of two integers, height and width");
    }
    for (size_t i = 0; i < 2; ++i) {
      const IntegerRead side = read_integer(size.at(i).value());
      if (side.form != IntegerRead::Form::kNumber || side.value < 1 || side.value > kMaxRlePixels) {
        return fail(FindingKind::kRleMalformed, "segmentation.size",
                    shown_value(size.at(i).value()) + " cannot be a height or width");
      }
      sides[i] = side.value;
    }
    height_ = sides[0];
    width_ = sides[1];
    if (height_ <= kMaxRlePixels / width_) return true;
    return fail(FindingKind::kRleMalformed, "segmentation.size", "is that of too large an image");
  }

  bool read_runs(dom::object object) {
    constexpr const char* kWhere = "segmentation.counts";
    dom::element counts;
    if (object["counts"].get(counts) != simdjson::SUCCESS) {
      return fail(FindingKind::kRleMalformed, "segmentation", "has no \"counts\"");
    }
    std::string_view text;
    dom::array list;
    if (counts.get(text) == simdjson::SUCCESS) {
      try {
        runs_ = rle_string_runs(text);
      } catch (const Error& error) {
        return fail(FindingKind::kRleMalformed, kWhere, error.what());
      }
    } else if (counts.get(list) == simdjson::SUCCESS) {
      for (const dom::element value : list) {
        const IntegerRead run = read_integer(value);
        if (run.form != IntegerRead::Form::kNumber) {
          return fail(FindingKind::kRleMalformed, kWhere,
                      shown_value(value) + " is no length of a run");
        }
        runs_.push_back(run.value);
      }
    } else {
      return fail(FindingKind::kRleMalformed, kWhere,
                  fmt::format("is {}: a list or a string belongs there", type_name(counts)));
    }
    const auto negative =
        std::find_if(runs_.begin(), runs_.end(), [](int64_t run) { return run < 0; });
    if (negative == runs_.end()) return true;
    return fail(FindingKind::kRleMalformed, kWhere,
                fmt::format("holds a negative run: {}", *negative));
  }

  bool check_size() {
    const bool known = image_height_ > 0;
    if (!known || (height_ == image_height_ && width_ == image_width_)) return true;
    return fail(FindingKind::kRleSize, "segmentation.size",
                fmt::format("is {}x{} (width x height) in an image of {}x{}", width_, height_,
                            image_width_, image_height_));
  }

  bool check_sum() {
    int64_t sum = 0;
    for (const int64_t run : runs_)
      sum = std::min(sum + std::min(run, kMaxRlePixels), INT64_MAX / 2);
    if (sum == height_ * width_) return true;
    return fail(FindingKind::kRleSum, "segmentation.counts",
                fmt::format("add up to {}, not to the {} pixels of {}x{}", sum, height_ * width_,
                            width_, height_));
  }

  Element& element_;
  int64_t image_height_;
  int64_t image_width_;
  int64_t height_ = 0;
  int64_t width_ = 0;
  std::vector<int64_t> runs_;
};

}  // namespace

StatedMask read_segmentation(Element& element, int64_t height, int64_t width) {
  const std::optional<dom::element> value = element.find("segmentation");
  if (!value || value->is_null()) return {};
  dom::array list;
  dom::object object;
  if (value->get(list) == simdjson::SUCCESS) {
    return list.size() == 0 ? StatedMask{} : PolygonReader(element, height, width).read(list);
  }
  if (value->get(object) == simdjson::SUCCESS) {
    return RleReader(element, height, width).read(object);
  }
  element.report(FindingKind::kSegmentationMalformed, "segmentation",
                 fmt::format("is {}: polygons or run lengths belong there", type_name(*value)),
                 Remedy::kDropped);
  StatedMask mask;
  mask.form = StatedMask::Form::kUnusable;
  return mask;
}

}  // namespace mrcnn

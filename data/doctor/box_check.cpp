#include "data/doctor/box_check.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/masks/polygon.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

namespace dom = simdjson::dom;

struct Corners {
  double x1 = 0;
  double y1 = 0;
  double x2 = 0;
  double y2 = 0;
};

// What the mask says. The pixels are counted only when the question cannot be settled without.
class MaskMeasures {
 public:
  MaskMeasures(const StatedMask& mask, int64_t height, int64_t width)
      : mask_(mask), height_(height), width_(width) {
    using Form = StatedMask::Form;
    usable_ = mask.form == Form::kRle || (mask.form == Form::kPolygons && height > 0);
    if (!usable_) return;
    if (mask.form == Form::kRle) {
      draw();
      extent_ = pixels_;
      outline_area_ = pixel_area_;
      outline_ = 2 * (pixels_.x2 - pixels_.x1 + pixels_.y2 - pixels_.y1);
    } else {
      measure_polygons();
    }
  }

  bool usable() const { return usable_; }
  double outline_area() const { return outline_area_; }  // sum over polygons
  double outline() const { return outline_; }            // length
  const Corners& extent() const { return extent_; }      // of the polygons, inside the image
  double pixel_area() {
    draw();
    return pixel_area_;
  }
  const Corners& pixels() {
    draw();
    return pixels_;
  }
  // A thin mask may pass between the middles of all pixels.
  bool may_be_empty() const { return outline_area_ < 16 || outline_area_ < outline_; }

 private:
  void measure_polygons() {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    extent_ = {kInfinity, kInfinity, -kInfinity, -kInfinity};
    for (const std::vector<double>& polygon : mask_.polygons) {
      double doubled = 0;
      for (size_t i = 0; i < polygon.size(); i += 2) {
        const size_t next = (i + 2) % polygon.size();
        doubled += polygon[i] * polygon[next + 1] - polygon[next] * polygon[i + 1];
        outline_ += std::hypot(polygon[next] - polygon[i], polygon[next + 1] - polygon[i + 1]);
        extent_.x1 = std::min(extent_.x1, polygon[i]);
        extent_.x2 = std::max(extent_.x2, polygon[i]);
        extent_.y1 = std::min(extent_.y1, polygon[i + 1]);
        extent_.y2 = std::max(extent_.y2, polygon[i + 1]);
      }
      outline_area_ += std::abs(doubled) / 2;
    }
    const auto h = static_cast<double>(height_);
    const auto w = static_cast<double>(width_);
    extent_ = {std::clamp(extent_.x1, 0.0, w), std::clamp(extent_.y1, 0.0, h),
               std::clamp(extent_.x2, 0.0, w), std::clamp(extent_.y2, 0.0, h)};
  }

  void draw() {
    if (drawn_) return;
    drawn_ = true;
    const Rle drawn = mask_.rle ? Rle{} : rle_from_polygons(mask_.polygons, height_, width_);
    const Rle& rle = mask_.rle ? *mask_.rle : drawn;
    pixel_area_ = static_cast<double>(rle_area(rle));
    const PixelBox box = rle_bbox(rle);
    pixels_ = {static_cast<double>(box.x), static_cast<double>(box.y),
               static_cast<double>(box.x + box.width), static_cast<double>(box.y + box.height)};
  }

  const StatedMask& mask_;
  int64_t height_;
  int64_t width_;
  bool usable_ = false;
  double outline_area_ = 0;
  double outline_ = 0;
  Corners extent_;
  bool drawn_ = false;
  double pixel_area_ = 0;
  Corners pixels_;
};

class BoxCheck {
 public:
  BoxCheck(Element& element, const StatedMask& mask, int64_t height, int64_t width, bool crowd)
      : element_(element),
        mask_(mask, height, width),
        height_(static_cast<double>(height)),
        width_(static_cast<double>(width)),
        crowd_(crowd) {}

  CheckedBox run() {
    if (mask_.usable() && mask_.may_be_empty() && mask_.pixel_area() == 0) {
      element_.report(FindingKind::kMaskEmpty, "segmentation", "covers no pixel", Remedy::kDropped);
    }
    if (read_box()) {
      result_.usable = true;
      compare_box();
    } else if (mask_.usable()) {
      result_.usable = true;
    }
    check_area();
    return result_;
  }

 private:
  Remedy box_remedy() const { return mask_.usable() ? Remedy::kBoxFromMask : Remedy::kDropped; }

  // A box that cannot be used is replaced by the mask's, or its object dropped.
  bool reject_box(FindingKind kind, const std::string& where, const std::string& problem) {
    element_.report(kind, where, problem, box_remedy());
    if (mask_.usable()) write_box_of_mask();
    return false;
  }

  void write_box() {
    element_.repair().fields["bbox"] = fmt::format("[{}]", fmt::join(result_.box, ","));
  }

  void write_box_of_mask() {
    const Corners& extent = mask_.extent();
    result_.box = {extent.x1, extent.y1, extent.x2 - extent.x1, extent.y2 - extent.y1};
    write_box();
  }

  bool read_box() {
    const std::optional<dom::element> value = element_.find("bbox");
    if (!value) return reject_box(FindingKind::kMissingKey, "", "has no \"bbox\"");
    dom::array numbers;
    if (value->get(numbers) != simdjson::SUCCESS || numbers.size() != 4) {
      return reject_box(
          FindingKind::kBoxMalformed, "bbox",
          fmt::format("{}: x, y, width and height belong there", shown_value(*value)));
    }
    size_t i = 0;
    for (const dom::element number : numbers) {
      const NumberRead read = read_number(number);
      const std::string where = fmt::format("bbox[{}]", i);
      if (read.form == NumberRead::Form::kOther) {
        return reject_box(FindingKind::kWrongType, where,
                          fmt::format("is {}: a number belongs there", type_name(number)));
      }
      if (read.form == NumberRead::Form::kNotFinite ||
          std::abs(read.value) > kMaxPolygonCoordinate) {
        return reject_box(FindingKind::kBoxNotFinite, where,
                          fmt::format("{} is no number of pixels", shown_value(number)));
      }
      if (read.form == NumberRead::Form::kText) {
        element_.report(FindingKind::kNumberAsString, where,
                        fmt::format("{} is a string: a number belongs there", shown_value(number)),
                        Remedy::kWrittenAsNumber);
        rewritten_ = true;
      }
      result_.box[i++] = read.value;
    }
    const bool fine = check_extent();
    if (fine && rewritten_) write_box();
    return fine;
  }

  bool check_extent() {
    auto& [x, y, w, h] = result_.box;
    if (w <= 0 || h <= 0) {
      return reject_box(FindingKind::kBoxDegenerate, "bbox",
                        fmt::format("is {} wide and {} high", w, h));
    }
    if (height_ == 0) return true;
    if (x >= width_ || y >= height_ || x + w <= 0 || y + h <= 0) {
      return reject_box(FindingKind::kBoxOutside, "bbox",
                        fmt::format("[{}, {}, {}, {}] lies outside of the image of {}x{}", x, y, w,
                                    h, width_, height_));
    }
    const double past = std::max({-x, -y, x + w - width_, y + h - height_});
    if (past <= kBorderTolerance) return true;
    element_.report(FindingKind::kBoxPastBorder, "bbox",
                    fmt::format("[{}, {}, {}, {}] sticks out of the image of {}x{} by {:.6g} "
                                "pixels",
                                x, y, w, h, width_, height_, past),
                    Remedy::kBoxClipped);
    const double x2 = std::min(x + w, width_);
    const double y2 = std::min(y + h, height_);
    x = std::max(x, 0.0);
    y = std::max(y, 0.0);
    w = x2 - x;
    h = y2 - y;
    rewritten_ = true;
    return true;
  }

  bool near_box(const Corners& wanted) const {
    const auto& [x, y, w, h] = result_.box;
    const double tolerance_x = std::max(kBoxPixels, kBoxPart * w);
    const double tolerance_y = std::max(kBoxPixels, kBoxPart * h);
    return std::abs(x - wanted.x1) <= tolerance_x && std::abs(x + w - wanted.x2) <= tolerance_x &&
           std::abs(y - wanted.y1) <= tolerance_y && std::abs(y + h - wanted.y2) <= tolerance_y;
  }

  void compare_box() {
    if (!mask_.usable() || element_.repair().drop) return;
    if (near_box(mask_.extent()) || near_box(mask_.pixels())) return;
    const Corners& extent = mask_.extent();
    const auto& [x, y, w, h] = result_.box;
    element_.report(
        FindingKind::kBoxDisagrees, "bbox",
        fmt::format("[{:.6g}, {:.6g}, {:.6g}, {:.6g}], but that of the mask is "
                    "[{:.6g}, {:.6g}, {:.6g}, {:.6g}]",
                    x, y, w, h, extent.x1, extent.y1, extent.x2 - extent.x1, extent.y2 - extent.y1),
        Remedy::kBoxFromMask);
    write_box_of_mask();
  }

  double best_area() {
    return mask_.usable() ? mask_.pixel_area() : result_.box[2] * result_.box[3];
  }

  void fix_area(FindingKind kind, const std::string& where, const std::string& problem) {
    const bool can = mask_.usable() || result_.usable;
    element_.report(kind, where, problem,
                    mask_.usable()   ? Remedy::kAreaFromMask
                    : result_.usable ? Remedy::kAreaFromBox
                                     : Remedy::kDropped);
    if (can) element_.repair().fields["area"] = fmt::format("{}", best_area());
  }

  void check_area() {
    const std::optional<dom::element> value = element_.find("area");
    if (!value) return fix_area(FindingKind::kMissingKey, "", "has no \"area\"");
    const NumberRead read = read_number(*value);
    if (read.form == NumberRead::Form::kOther) {
      return fix_area(FindingKind::kWrongType, "area",
                      fmt::format("is {}: a number belongs there", type_name(*value)));
    }
    if (read.form == NumberRead::Form::kNotFinite || read.value <= 0) {
      return fix_area(FindingKind::kAreaNotPositive, "area", shown_value(*value) + " cannot be");
    }
    if (read.form == NumberRead::Form::kText) {
      element_.report(FindingKind::kNumberAsString, "area",
                      fmt::format("{} is a string: a number belongs there", shown_value(*value)),
                      Remedy::kWrittenAsNumber);
      element_.repair().fields["area"] = fmt::format("{}", read.value);
    }
    if (!element_.repair().drop) compare_area(read.value);
  }

  double area_tolerance(double area) const {
    return std::max({kAreaPixels, kAreaPart * area, kAreaPerOutline * mask_.outline()});
  }

  void compare_area(double area) {
    if (!mask_.usable()) {
      const double most = result_.box[2] * result_.box[3];
      if (!result_.usable || area <= most + std::max(kAreaPixels, kAreaPart * most)) return;
      return fix_area(FindingKind::kAreaDisagrees, "area",
                      fmt::format("{:.8g} is more than the {:.8g} of the box", area, most));
    }
    const double outlined = mask_.outline_area();
    if (std::abs(area - outlined) <= area_tolerance(outlined)) return;
    const double pixels = mask_.pixel_area();
    const double tolerance = area_tolerance(pixels);
    const double low = std::min(outlined, pixels) - tolerance;
    const double high = std::max(outlined, pixels) + tolerance;
    if (area >= low && area <= high) return;
    if (crowd_ && area >= low / kCrowdFactor && area <= high * kCrowdFactor) return;
    const double of_box = result_.box[2] * result_.box[3];
    const bool is_of_box = std::abs(area - of_box) <= std::max(1.0, 0.01 * of_box);
    fix_area(FindingKind::kAreaDisagrees, "area",
             fmt::format("{:.8g}, but the mask has {:.8g} pixels{}", area, pixels,
                         is_of_box ? "; it is the area of the box" : ""));
  }

  Element& element_;
  MaskMeasures mask_;
  double height_;
  double width_;
  bool crowd_;
  bool rewritten_ = false;
  CheckedBox result_;
};

}  // namespace

CheckedBox check_box_and_area(Element& element, const StatedMask& mask, int64_t height,
                              int64_t width, bool crowd) {
  return BoxCheck(element, mask, height, width, crowd).run();
}

}  // namespace mrcnn

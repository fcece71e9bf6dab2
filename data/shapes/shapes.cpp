#include "data/shapes/shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "core/error.h"
#include "data/masks/rle.h"
#include "data/shapes/draw.h"
#include "data/shapes/figure.h"
#include "data/shapes/paint.h"

namespace mrcnn {
namespace {

using namespace shapes;

constexpr double kMinVisible = 0.6;  // of a figure's pixels
constexpr double kMinScale = 0.15;   // diameter over the shorter side of the image
constexpr double kMaxScale = 0.6;
constexpr double kMinDiameter = 14;  // pixels; a smaller star is a blot
constexpr int kPlacementTries = 20;

struct Placed {
  FigureKind kind;
  Paint fill;
  int64_t area = 0;
  int64_t visible = 0;
};

// The scene while it is put together: which object each pixel shows.
class Scene {
 public:
  Scene(const ShapesParams& params, const RandomStream& stream)
      : height_(params.height), width_(params.width), stream_(stream), draw_(stream) {
    background_ = draw_background(height_, width_, draw_);
    owner_.assign(static_cast<size_t>(height_ * width_), 0);
    const int64_t wanted =
        params.min_objects + draw_.below(params.max_objects - params.min_objects + 1);
    for (int64_t i = 0; i < wanted; ++i) add_object();
  }

  ShapesImage finish() const {
    ShapesImage image;
    image.pixels = Tensor::empty(Shape{height_, width_, 3}, DType::kU8);
    auto* rgb = image.pixels.data<uint8_t>();
    for (int64_t y = 0; y < height_; ++y) {
      for (int64_t x = 0; x < width_; ++x, rgb += 3) {
        const size_t owner = owner_[static_cast<size_t>(y * width_ + x)];
        const Paint& paint = owner == 0 ? background_ : placed_[owner - 1].fill;
        paint_pixel(paint, y, x, height_, width_, stream_, rgb);
      }
    }
    std::vector<uint8_t> bitmap(owner_.size());
    for (size_t k = 0; k < placed_.size(); ++k) {
      std::transform(owner_.begin(), owner_.end(), bitmap.begin(),
                     [k](uint8_t owner) { return static_cast<uint8_t>(owner == k + 1); });
      image.objects.push_back(
          {static_cast<int64_t>(placed_[k].kind) + 1, rle_from_bitmap(bitmap, height_, width_)});
    }
    return image;
  }

 private:
  void add_object() {
    const auto kind = static_cast<FigureKind>(draw_.below(int64_t{kFigureNames.size()}));
    for (int i = 0; i < kPlacementTries; ++i) {
      const Coverage coverage = cover(draw_placed_figure(kind), height_, width_);
      if (!leaves_enough(coverage)) continue;
      put(kind, coverage);
      return;
    }
  }

  // Small figures are more frequent; a figure may reach beyond the border by an eighth.
  Figure draw_placed_figure(FigureKind kind) {
    const auto side = static_cast<double>(std::min(height_, width_));
    const double u = draw_.uniform();
    const double scale = kMinScale + (kMaxScale - kMinScale) * u * u;
    const double radius = 0.5 * std::max(scale * side, kMinDiameter);
    const double x = draw_.between(0.75 * radius, static_cast<double>(width_) - 0.75 * radius);
    const double y = draw_.between(0.75 * radius, static_cast<double>(height_) - 0.75 * radius);
    return draw_figure(kind, x, y, radius, draw_);
  }

  bool leaves_enough(const Coverage& coverage) const {
    const auto enough = [](int64_t visible, int64_t area) {
      return static_cast<double>(visible) >= kMinVisible * static_cast<double>(area);
    };
    if (!enough(static_cast<int64_t>(coverage.pixels.size()), coverage.area)) return false;
    std::vector<int64_t> left;
    for (const Placed& placed : placed_) left.push_back(placed.visible);
    for (const int64_t pixel : coverage.pixels) {
      const size_t owner = owner_[static_cast<size_t>(pixel)];
      if (owner > 0) --left[owner - 1];
    }
    for (size_t k = 0; k < left.size(); ++k) {
      if (!enough(left[k], placed_[k].area)) return false;
    }
    return true;
  }

  void put(FigureKind kind, const Coverage& coverage) {
    std::vector<Paint> fills;
    for (const Placed& placed : placed_) fills.push_back(placed.fill);
    for (const int64_t pixel : coverage.pixels) {
      uint8_t& owner = owner_[static_cast<size_t>(pixel)];
      if (owner > 0) --placed_[owner - size_t{1}].visible;
      owner = static_cast<uint8_t>(placed_.size() + 1);
    }
    placed_.push_back({kind, draw_fill(background_, fills, height_, width_, draw_), coverage.area,
                       static_cast<int64_t>(coverage.pixels.size())});
  }

  int64_t height_;
  int64_t width_;
  RandomStream stream_;
  Draw draw_;
  Paint background_;
  std::vector<Placed> placed_;
  std::vector<uint8_t> owner_;  // 0 background, else the number of the object from 1
};

}  // namespace

const std::vector<DatasetClass>& shapes_classes() {
  static const std::vector<DatasetClass> classes = [] {
    std::vector<DatasetClass> list;
    for (const std::string_view name : kFigureNames) {
      const auto label = static_cast<int64_t>(list.size()) + 1;
      list.push_back({label, label, std::string(name)});
    }
    return list;
  }();
  return classes;
}

void check_shapes_params(const ShapesParams& params) {
  constexpr int64_t kMinSide = 32;
  constexpr int64_t kMaxSide = 4096;
  constexpr int64_t kMostObjects = 32;
  for (const int64_t side : {params.height, params.width}) {
    if (side < kMinSide || side > kMaxSide) {
      throw UsageError(fmt::format("shapes: sides of {} to {} pixels are possible, not {}x{}",
                                   kMinSide, kMaxSide, params.width, params.height));
    }
  }
  if (params.min_objects < 1 || params.max_objects < params.min_objects ||
      params.max_objects > kMostObjects) {
    throw UsageError(fmt::format("shapes: {} to {} objects an image; possible are 1 to {}",
                                 params.min_objects, params.max_objects, kMostObjects));
  }
}

ShapesImage generate_shapes(const ShapesParams& params, int64_t index) {
  check_shapes_params(params);
  if (index < 0 || index > int64_t{std::numeric_limits<uint32_t>::max()}) {
    throw UsageError(fmt::format("shapes: image {} is none of 0 .. 2^32 - 1", index));
  }
  const RandomStream stream{params.seed, RandomPurpose::kShapes, static_cast<uint32_t>(index)};
  return Scene(params, stream).finish();
}

}  // namespace mrcnn

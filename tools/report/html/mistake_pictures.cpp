#include "tools/report/html/mistake_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/error.h"
#include "data/image/image.h"
#include "data/image/write.h"
#include "tools/draw/canvas.h"
#include "tools/draw/overlay.h"
#include "tools/draw/thumbnail.h"
#include "tools/report/html/evaluation_tables.h"

namespace mrcnn {
namespace {

constexpr int64_t kMostSide = 240;  // of a picture, pixels
constexpr int kJpegQuality = 85;

// The box, and as much around it as tells where it is.
PixelRect surroundings(const CocoBox& box, const Tensor& image) {
  constexpr double kAround = 2.5, kLeast = 160;
  const double side = std::max(kAround * std::max(box[2], box[3]), kLeast);
  const auto range = [side](double begin, double length, int64_t limit) {
    const double most = static_cast<double>(limit);
    const double size = std::min(side, most);
    const double from = std::clamp(begin + (length - size) / 2, 0.0, most - size);
    return std::pair{static_cast<int64_t>(from),
                     std::min(static_cast<int64_t>(std::ceil(from + size)), limit)};
  };
  const auto [x0, x1] = range(box[0], box[2], image.size(1));
  const auto [y0, y1] = range(box[1], box[3], image.size(0));
  return {y0, x0, y1, x1};
}

// White between black, to be seen on any ground. `image` shows `part` of the one that `box` is of.
void draw_frame(Tensor& image, const CocoBox& box, const PixelRect& part) {
  const double scale = static_cast<double>(image.size(1)) / static_cast<double>(part.width());
  const auto pixel = [scale](double value, int64_t origin, int64_t limit) {
    const double place = (value - static_cast<double>(origin)) * scale;
    return std::lround(std::clamp(place, 0.0, static_cast<double>(limit)));
  };
  const int64_t y0 = pixel(box[1], part.y0, image.size(0));
  const int64_t x0 = pixel(box[0], part.x0, image.size(1));
  const int64_t y1 = pixel(box[1] + box[3], part.y0, image.size(0));
  const int64_t x1 = pixel(box[0] + box[2], part.x0, image.size(1));
  Canvas canvas(image);
  for (const auto& [reach, shade] :
       {std::pair{int64_t{2}, uint8_t{0}}, {int64_t{1}, uint8_t{255}}}) {
    const RgbColour colour{shade, shade, shade};
    const int64_t in = reach - 1;  // a line of three pixels, the middle one white
    canvas.fill({y0 - reach, x0 - reach, y0 + in, x1 + reach}, colour, 255);
    canvas.fill({y1 - in, x0 - reach, y1 + reach, x1 + reach}, colour, 255);
    canvas.fill({y0 - reach, x0 - reach, y1 + reach, x0 + in}, colour, 255);
    canvas.fill({y0 - reach, x1 - in, y1 + reach, x1 + reach}, colour, 255);
  }
}

class Drawer {
 public:
  explicit Drawer(const Dataset& dataset) : dataset_(dataset) {
    for (int64_t i = 0; i < dataset.size(); ++i) index_.emplace(dataset.image(i).id, i);
  }

  // Nothing if the image cannot be read or the box is none.
  std::optional<PagePicture> draw(int64_t image_id, const CocoBox& box,
                                  const std::string& caption) const {
    const auto found = index_.find(image_id);
    const bool finite =
        std::all_of(box.begin(), box.end(), [](double v) { return std::isfinite(v); });
    if (found == index_.end() || !finite) return std::nullopt;
    Tensor pixels;
    std::vector<OverlayItem> objects;
    try {
      pixels = load_image(dataset_.image(found->second).path, {.exif = ExifPolicy::kIgnore}).pixels;
      for (DatasetObject& object : dataset_.objects(found->second)) {
        if (object.mask.height != pixels.size(0) || object.mask.width != pixels.size(1)) continue;
        OverlayItem item;
        item.mask = std::move(object.mask);
        item.label = object.label;
        objects.push_back(std::move(item));
      }
    } catch (const FileError&) {
      return std::nullopt;
    }
    const PixelRect part = surroundings(box, pixels);
    const int64_t longer = std::max(part.height(), part.width());
    OverlayStyle style;
    style.boxes = style.labels = false;
    style.scale = std::max<int64_t>(1, longer / kMostSide);
    Tensor small = thumbnail(draw_overlay(pixels, objects, style), part, kMostSide);
    draw_frame(small, box, part);
    return page_picture(small, "Part of the image: " + caption, caption);
  }

  std::string place(int64_t image_id) const {
    const auto found = index_.find(image_id);
    return found == index_.end() ? fmt::format("image {}", image_id)
                                 : dataset_.image(found->second).file_name;
  }

 private:
  const Dataset& dataset_;
  std::map<int64_t, int64_t> index_;  // by image id
};

}  // namespace

PagePicture page_picture(const Tensor& pixels, std::string alternative, std::string caption) {
  const Tensor small = thumbnail(pixels, {0, 0, pixels.size(0), pixels.size(1)}, 2 * kMostSide);
  return {.jpeg = encode_jpeg(small, kJpegQuality),
          .height = small.size(0),
          .width = small.size(1),
          .alternative = std::move(alternative),
          .caption = std::move(caption)};
}

MistakePictures draw_mistakes(const Dataset& dataset, const Mistakes& mistakes) {
  const Drawer drawer(dataset);
  MistakePictures result;
  const auto add = [&](std::vector<PagePicture>& list, const auto& mistake,
                       const std::string& caption) {
    std::optional<PagePicture> picture = drawer.draw(mistake.image_id, mistake.box, caption);
    if (picture) {
      list.push_back(std::move(*picture));
    } else {
      ++result.num_unreadable;
    }
  };
  for (const FalsePositive& mistake : mistakes.false_positives) {
    const std::string why = mistake.best_iou >= 0.5
                                ? "a second detection of one object"
                                : fmt::format("best IoU {:.2f}", mistake.best_iou);
    add(result.false_positives, mistake,
        fmt::format("{} {:.0f}%, {}; {}", class_name(dataset.classes(), mistake.category),
                    100 * mistake.score, why, drawer.place(mistake.image_id)));
  }
  for (const Miss& mistake : mistakes.misses) {
    add(result.misses, mistake,
        fmt::format("{}, {:.0f} pixels, best IoU {:.2f}; {}",
                    class_name(dataset.classes(), mistake.category), mistake.area, mistake.best_iou,
                    drawer.place(mistake.image_id)));
  }
  return result;
}

}  // namespace mrcnn

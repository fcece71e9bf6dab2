// Refs go in tiles, their coordinates in separate arrays, and an object away from the tile's
// surrounding box is skipped, as most are. The first pass keeps each object's best IoU per tile, so
// that the second one, for low-quality matches, looks only into the tiles that have the best.
#include "kernels/detection/match_boxes.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/detection/match_boxes_math.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kTile = 256;  // refs: with their state 8 KB, and a few rows of a map
constexpr int64_t kGrain = 16;  // tiles
constexpr int64_t kLanes = 16;
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));
using Ints = int32_t __attribute__((vector_size(kLanes * sizeof(int32_t))));
constexpr int64_t kVectors = kTile / kLanes;

struct Tile {
  Floats x1[kVectors];
  Floats y1[kVectors];
  Floats x2[kVectors];
  Floats y2[kVectors];
  Floats area[kVectors];
  Floats best[kVectors];
  Ints index[kVectors];
  Box bounds;  // of all refs, NaN left out
};

struct Object {
  Box box;
  float area;
};

Box load_box(const float* p) { return {p[0], p[1], p[2], p[3]}; }

// Lanes past `count` overlap nothing.
void load_tile(const float* boxes, int64_t count, Tile& tile) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  tile.bounds = {kInfinity, kInfinity, -kInfinity, -kInfinity};
  for (int64_t i = 0; i < kTile; ++i) {
    const Box box = i < count ? load_box(boxes + 4 * i) : Box{kNan, kNan, kNan, kNan};
    const int64_t v = i / kLanes;
    const int64_t lane = i % kLanes;
    tile.x1[v][lane] = box.x1;
    tile.y1[v][lane] = box.y1;
    tile.x2[v][lane] = box.x2;
    tile.y2[v][lane] = box.y2;
    tile.area[v][lane] = box_area(box);
    tile.bounds.x1 = box.x1 < tile.bounds.x1 ? box.x1 : tile.bounds.x1;
    tile.bounds.y1 = box.y1 < tile.bounds.y1 ? box.y1 : tile.bounds.y1;
    tile.bounds.x2 = box.x2 > tile.bounds.x2 ? box.x2 : tile.bounds.x2;
    tile.bounds.y2 = box.y2 > tile.bounds.y2 ? box.y2 : tile.bounds.y2;
  }
  std::fill_n(tile.best, kVectors, Floats{});
  std::fill_n(tile.index, kVectors, Ints{});
}

// The operations of match_iou on 16 refs at a time. Returns the object's best IoU in the tile.
MRCNN_TARGET_CLONES
float match_tile(const Object& object, int32_t index, Tile& tile) {
  const Floats zero{};
  const Floats x1 = zero + object.box.x1;
  const Floats y1 = zero + object.box.y1;
  const Floats x2 = zero + object.box.x2;
  const Floats y2 = zero + object.box.y2;
  const Ints own = Ints{} + index;
  Floats top{};
  for (int64_t v = 0; v < kVectors; ++v) {
    const Floats left = tile.x1[v] < x1 ? x1 : tile.x1[v];
    const Floats upper = tile.y1[v] < y1 ? y1 : tile.y1[v];
    const Floats right = x2 < tile.x2[v] ? x2 : tile.x2[v];
    const Floats lower = y2 < tile.y2[v] ? y2 : tile.y2[v];
    const Floats width = right - left < zero ? zero : right - left;
    const Floats height = lower - upper < zero ? zero : lower - upper;
    const Floats inter = width * height;
    const Floats joint = tile.area[v] + object.area - inter;
    const Floats iou = joint <= zero ? zero : inter / joint;
    top = iou > top ? iou : top;
    tile.index[v] = iou > tile.best[v] ? own : tile.index[v];
    tile.best[v] = iou > tile.best[v] ? iou : tile.best[v];
  }
  float best = 0;
  for (int64_t lane = 0; lane < kLanes; ++lane) best = top[lane] > best ? top[lane] : best;
  return best;
}

// False only if no ref of the tile has a positive intersection with the box.
bool may_overlap(const Box& bounds, const Box& box) {
  return !(std::min(bounds.x2, box.x2) <= std::max(bounds.x1, box.x1) ||
           std::min(bounds.y2, box.y2) <= std::max(bounds.y1, box.y1));
}

std::vector<Object> load_objects(const MatchView& view, int64_t image) {
  std::vector<Object> objects;
  for (int64_t g = 0; g < view.gt_count[image]; ++g) {
    const Box box = load_box(view.gt_boxes + 4 * (image * view.objects + g));
    objects.push_back({box, box_area(box)});
  }
  return objects;
}

// The matching of one image.
class ImageMatcher {
 public:
  ImageMatcher(const MatchView& view, const MatchParams& params, int64_t image)
      : params_(params),
        objects_(load_objects(view, image)),
        boxes_(view.ref_boxes + 4 * image * view.refs_stride),
        count_(view.ref_count == nullptr ? view.refs : view.ref_count[image]),
        num_tiles_((count_ + kTile - 1) / kTile),
        matched_(view.matched + image * view.refs) {
    std::fill(matched_ + count_, matched_ + view.refs, kIgnored);
  }

  void run() {
    if (objects_.empty()) {
      std::fill_n(matched_, count_, kBackground);
      return;
    }
    tile_best_.assign(static_cast<size_t>(num_tiles_) * objects_.size(), 0.0F);
    parallel_for(0, num_tiles_, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t tile = begin; tile < end; ++tile) label_tile(tile);
    });
    if (params_.low_quality) raise_best();
  }

 private:
  float* tile_best(int64_t tile) {
    return tile_best_.data() + static_cast<size_t>(tile) * objects_.size();
  }

  void label_tile(int64_t t) {
    const int64_t first = t * kTile;
    const int64_t count = std::min(kTile, count_ - first);
    Tile tile;
    load_tile(boxes_ + 4 * first, count, tile);
    for (size_t g = 0; g < objects_.size(); ++g) {
      if (!may_overlap(tile.bounds, objects_[g].box)) continue;
      tile_best(t)[g] = match_tile(objects_[g], static_cast<int32_t>(g), tile);
    }
    for (int64_t i = 0; i < count; ++i) {
      const int64_t v = i / kLanes;
      const int64_t lane = i % kLanes;
      matched_[first + i] = match_label(tile.best[v][lane], tile.index[v][lane], params_);
    }
  }

  void raise_best() {
    std::vector<float> gt_best(objects_.size(), 0.0F);
    for (int64_t tile = 0; tile < num_tiles_; ++tile) {
      for (size_t g = 0; g < objects_.size(); ++g) {
        gt_best[g] = std::max(gt_best[g], tile_best(tile)[g]);
      }
    }
    parallel_for(0, num_tiles_, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t tile = begin; tile < end; ++tile) {
        for (size_t g = 0; g < objects_.size(); ++g) {
          if (tile_best(tile)[g] == gt_best[g] && raises_refs(gt_best[g], params_)) {
            raise_in_tile(tile, objects_[g], gt_best[g]);
          }
        }
      }
    });
  }

  void raise_in_tile(int64_t tile, const Object& object, float best) {
    const int64_t end = std::min(count_, (tile + 1) * kTile);
    for (int64_t i = tile * kTile; i < end; ++i) {
      const Box ref = load_box(boxes_ + 4 * i);
      if (match_iou(ref, box_area(ref), object.box, object.area) == best) {
        matched_[i] = best_object(ref);
      }
    }
  }

  int32_t best_object(const Box& ref) const {
    float best = 0;
    size_t index = 0;
    for (size_t g = 0; g < objects_.size(); ++g) {
      const float iou = match_iou(ref, box_area(ref), objects_[g].box, objects_[g].area);
      if (iou > best) {
        best = iou;
        index = g;
      }
    }
    return static_cast<int32_t>(index);
  }

  MatchParams params_;
  std::vector<Object> objects_;
  const float* boxes_;
  int64_t count_;
  int64_t num_tiles_;
  int32_t* matched_;
  std::vector<float> tile_best_;  // [tiles, objects]
};

}  // namespace

void match_boxes(const MatchView& view, const MatchParams& params) {
  for (int64_t n = 0; n < view.images; ++n) ImageMatcher(view, params, n).run();
}

}  // namespace mrcnn::cpu

// Whole models against the references, stage by stage, on real photos with seeded weights.
// The goldens are what torch and torchvision computed: tests/golden/make_model_goldens.py.
#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/image/image.h"
#include "data/masks/rle.h"
#include "kernels/conv/conv2d.h"
#include "models/mask_rcnn/mask_rcnn.h"
#include "models/seeded_model.h"
#include "models/seeded_weights.h"
#include "models/zoo.h"
#include "tests/support/golden.h"

using namespace mrcnn;
using mrcnn::test::GoldenFile;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kNumPhotos = 1;  // the sanitizer build runs several times slower
#else
constexpr size_t kNumPhotos = 10;
#endif

std::vector<std::filesystem::path> photos() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(MRCNN_TEST_DATA "/photos")) {
    if (entry.path().extension() == ".jpg") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  paths.resize(std::min(paths.size(), kNumPhotos));
  return paths;
}

Tensor pixels_of(const std::filesystem::path& path) {
  return load_image(path.string(), {.exif = ExifPolicy::kIgnore}).pixels;
}

std::unique_ptr<MaskRcnn> seeded_model(const std::string& name, bool compat) {
  MaskRcnnConfig config = model_config(name);
  config.inference.compat = compat;
  auto model = std::make_unique<MaskRcnn>(config);
  load_seeded(model->root(), kGoldenSeed);
  model->prepare();
  return model;
}

// The reference's names of the neck's maps.
std::string reference_name(const std::string& name, bool fpn) {
  if (!name.starts_with("neck/")) return name;
  if (!fpn) return "features";
  return name == "neck/4" ? "fpn/pool" : "fpn/" + name.substr(5);
}

// Element `flat` of a map in the reference's order [N, C, H, W], here [N, H, W, C].
float element(const Tensor& map, int64_t flat) {
  if (map.rank() != 4) return map.data<const float>()[flat];
  const int64_t height = map.size(1);
  const int64_t width = map.size(2);
  const int64_t channels = map.size(3);
  const int64_t x = flat % width;
  const int64_t y = flat / width % height;
  const int64_t c = flat / (width * height) % channels;
  const int64_t n = flat / (width * height * channels);
  return map.data<const float>()[((n * height + y) * width + x) * channels + c];
}

// Largest difference of the 64 sampled elements, relative to the map's largest magnitude.
double sampled_error(const Tensor& map, const Tensor& samples, double absmax) {
  double worst = 0;
  for (int64_t j = 0; j < samples.numel(); ++j) {
    const int64_t flat = (j * 2654435761 + 12345) % map.numel();
    worst = std::max(
        worst, std::abs(static_cast<double>(element(map, flat)) - samples.data<const float>()[j]));
  }
  return worst / absmax;
}

double mean_of(const Tensor& map) {
  double sum = 0;
  for (const float value : map.span<const float>()) sum += value;
  return sum / static_cast<double>(map.numel());
}

std::vector<Rle> golden_masks(const GoldenFile& golden, const std::string& photo, int64_t height,
                              int64_t width) {
  const Tensor text = golden.tensor(photo + "/masks/rle");
  const Tensor ends = golden.tensor(photo + "/masks/rle_end");
  const std::string all(text.data<const uint8_t>(), text.data<const uint8_t>() + text.numel());
  std::vector<Rle> masks;
  int64_t begin = 0;
  for (const int64_t end : ends.span<const int64_t>()) {
    masks.push_back(rle_from_string(
        std::string_view(all).substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)),
        height, width));
    begin = end;
  }
  return masks;
}

double mask_iou(const Rle& a, const Rle& b) {
  const std::vector<Rle> both{a, b};
  const auto united = static_cast<double>(rle_area(rle_merge(both)));
  const auto sum = static_cast<double>(rle_area(a) + rle_area(b));
  return united == 0 ? 1.0 : (sum - united) / united;
}

double worst_box_gap(const Tensor& ours, const Tensor& reference) {
  double worst = 0;
  for (int64_t i = 0; i < ours.numel(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(ours.data<const float>()[i]) -
                                     reference.data<const float>()[i]));
  }
  return worst;
}

struct Case {
  const char* golden;
  const char* model;
  bool compat;
};

// Rounding differs between convolution algorithms; an element of a map is off by this much of the
// map's largest magnitude at most. f32 has 6e-8 per operation and the deepest map is some 60
// layers of sums of 2304 products away from the pixels.
constexpr double kMapTolerance = 2e-5;

void compare_maps(const GoldenFile& golden, const std::string& photo, bool fpn,
                  const std::map<std::string, Tensor>& seen) {
  for (const auto& [name, map] : seen) {
    // The rows of the box head follow the proposals, whose order hangs on the last bit of scores;
    // detections are compared below.
    if (name.starts_with("box/") || name == "network_boxes" || name == "proposals") continue;
    const std::string key = photo + "/" + reference_name(name, fpn);
    CAPTURE(key);
    if (!golden.has(key + "/samples")) {
      CHECK(!fpn);  // the single-level reference records only its last body map
      continue;
    }
    const Tensor shape = golden.tensor(key + "/shape");
    const int64_t* extents = shape.data<const int64_t>();
    CHECK(Shape{extents[0], extents[2], extents[3], extents[1]} == map.shape());
    const double* mean_absmax = golden.tensor(key + "/mean_absmax").data<const double>();
    const double absmax = mean_absmax[1];
    CHECK(sampled_error(map, golden.tensor(key + "/samples"), absmax) <= kMapTolerance);
    CHECK(std::abs(mean_of(map) - mean_absmax[0]) <= kMapTolerance * absmax);
  }
}

void compare_detections(const GoldenFile& golden, const std::string& photo, const Instances& found,
                        const MaskRcnnConfig& config) {
  const Tensor labels = golden.tensor(photo + "/labels");
  REQUIRE(found.size() == labels.numel());
  CHECK(found.size() >= 20);
  CHECK(std::ranges::equal(found.labels.span<const int64_t>(), labels.span<const int64_t>()));
  CHECK(worst_box_gap(found.boxes, golden.tensor(photo + "/boxes")) <= 0.05);
  CHECK(worst_box_gap(found.scores, golden.tensor(photo + "/scores")) <= 1e-4);
  const Tensor probs = golden.tensor(photo + "/mask_probs");
  CHECK(worst_box_gap(found.mask_probs.slice(0, probs.size(0)), probs) <= 1e-4);
  const std::vector<Rle> masks = encode_masks(found, config);
  const std::vector<Rle> expected = golden_masks(golden, photo, found.height, found.width);
  REQUIRE(masks.size() == expected.size());
  double worst = 1;
  for (size_t i = 0; i < masks.size(); ++i)
    worst = std::min(worst, mask_iou(masks[i], expected[i]));
  CHECK(worst >= 0.99);
}

void compare_photo(const MaskRcnn& model, const GoldenFile& golden,
                   const std::filesystem::path& path) {
  const std::string photo = path.stem().string();
  CAPTURE(photo);
  const Tensor pixels = pixels_of(path);
  const auto crc = crc32(0, pixels.data<const uint8_t>(), static_cast<uInt>(pixels.bytes()));
  REQUIRE(static_cast<int64_t>(crc) == golden.tensor(photo + "/pixels_crc32").data<int64_t>()[0]);

  const ImageBatch batch = model.preprocess(std::span(&pixels, 1));
  const int64_t* resized = golden.tensor(photo + "/resized_size").data<const int64_t>();
  CHECK(batch.resized[0] == ImageSize{resized[0], resized[1]});
  const int64_t* padded = golden.tensor(photo + "/padded_size").data<const int64_t>();
  CHECK(batch.pixels.shape() == Shape{1, padded[0], padded[1], 3});

  std::map<std::string, Tensor> seen;
  const auto keep = [&seen](std::string_view name, const Tensor& value) {
    seen.emplace(name, value);
  };
  const std::vector<Instances> found =
      model.detect(std::span(&pixels, 1), {.stage_ended = nullptr, .tensor = keep});
  compare_maps(golden, photo, model.config().fpn, seen);
  const Tensor proposals = golden.tensor(photo + "/proposals");
  REQUIRE(seen.at("proposals").shape() == proposals.shape());
  compare_detections(golden, photo, found[0], model.config());
}

void compare_case(const Case& test) {
  const GoldenFile golden(std::string("model_") + test.golden + ".safetensors");
  const std::unique_ptr<MaskRcnn> model = seeded_model(test.model, test.compat);
  for (const auto& path : photos()) compare_photo(*model, golden, path);
}

}  // namespace

TEST_CASE("The original system is reproduced with its faults when asked") {
  compare_case({.golden = "c5_compat", .model = "maskrcnn_resnet50_c5", .compat = true});
}

TEST_CASE("The original system without its faults") {
  compare_case({.golden = "c5", .model = "maskrcnn_resnet50_c5", .compat = false});
}

TEST_CASE("Torchvision's v1 is reproduced") {
  compare_case({.golden = "v1", .model = "maskrcnn_resnet50_fpn", .compat = false});
}

TEST_CASE("Torchvision's v2 is reproduced") {
  compare_case({.golden = "v2", .model = "maskrcnn_resnet50_fpn_v2", .compat = false});
}

// Whole models against the references, stage by stage, on real photos with seeded weights.
// The goldens are what torch and torchvision computed: tests/golden/make_model_goldens.py.
#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
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
  const Tensor text = golden.golden(photo + "/masks/rle");
  const Tensor ends = golden.golden(photo + "/masks/rle_end");
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

double worst_gap(const Tensor& ours, const Tensor& reference) {
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
  int max_replaced;  // photos whose heads may be compared on the reference's proposals
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
    const Tensor shape = golden.golden(key + "/shape");
    const int64_t* extents = shape.data<const int64_t>();
    CHECK(Shape{extents[0], extents[2], extents[3], extents[1]} == map.shape());
    const double* mean_absmax = golden.golden(key + "/mean_absmax").data<const double>();
    const double absmax = mean_absmax[1];
    CHECK(sampled_error(map, golden.golden(key + "/samples"), absmax) <= kMapTolerance);
    CHECK(std::abs(mean_of(map) - mean_absmax[0]) <= kMapTolerance * absmax);
  }
}

constexpr double kScoreTolerance = 1e-4;
// The order of two detections whose scores differ by less than rounding does is not defined; the
// widest swap seen was 3.6e-6.
constexpr double kTieTolerance = 1e-5;
constexpr double kBoxTolerance = 0.05;  // pixels

struct Reference {
  Tensor boxes, labels, scores;
};

bool is_same_detection(const Instances& found, int64_t i, const Reference& reference, int64_t j) {
  return found.labels.data<const int64_t>()[i] == reference.labels.data<const int64_t>()[j] &&
         worst_gap(found.boxes.slice(i, i + 1), reference.boxes.slice(j, j + 1)) <= kBoxTolerance &&
         worst_gap(found.scores.slice(i, i + 1), reference.scores.slice(j, j + 1)) <=
             kScoreTolerance;
}

Reference reference_detections(const GoldenFile& golden, const std::string& photo) {
  return {.boxes = golden.golden(photo + "/boxes"),
          .labels = golden.golden(photo + "/labels"),
          .scores = golden.golden(photo + "/scores")};
}

// For each detection its partner in the reference, -1 if there is none. The nearest free partner
// in the order of scores is taken.
std::vector<int64_t> pair_up(const Instances& found, const Reference& reference) {
  const int64_t count = reference.labels.numel();
  std::vector<bool> taken(static_cast<size_t>(count));
  std::vector<int64_t> partners;
  for (int64_t i = 0; i < found.size(); ++i) {
    int64_t partner = -1;
    for (int64_t j = 0; j < count; ++j) {
      if (taken[static_cast<size_t>(j)] || !is_same_detection(found, i, reference, j)) continue;
      if (partner < 0 || std::abs(j - i) < std::abs(partner - i)) partner = j;
    }
    if (partner >= 0) taken[static_cast<size_t>(partner)] = true;
    partners.push_back(partner);
  }
  return partners;
}

void compare_detections(const GoldenFile& golden, const std::string& photo, const Instances& found,
                        const MaskRcnnConfig& config) {
  const Reference reference = reference_detections(golden, photo);
  REQUIRE(found.size() == reference.labels.numel());
  CHECK(found.size() >= 20);
  const std::vector<int64_t> partners = pair_up(found, reference);
  const std::vector<Rle> masks = encode_masks(found, config);
  const std::vector<Rle> expected = golden_masks(golden, photo, found.height, found.width);
  const Tensor probs = golden.golden(photo + "/mask_probs");
  for (size_t i = 0; i < partners.size(); ++i) {
    CAPTURE(i);
    const int64_t partner = partners[i];
    CHECK(partner >= 0);
    if (partner < 0) continue;
    const float own_place = reference.scores.data<const float>()[i];
    CHECK(std::abs(reference.scores.data<const float>()[partner] - own_place) <= kTieTolerance);
    if (partner < static_cast<int64_t>(expected.size())) {
      CHECK(mask_iou(masks[i], expected[static_cast<size_t>(partner)]) >= 0.99);
    }
    if (partner < probs.size(0)) {
      const auto row = static_cast<int64_t>(i);
      CHECK(worst_gap(found.mask_probs.slice(row, row + 1), probs.slice(partner, partner + 1)) <=
            kScoreTolerance);
    }
  }
}

// Mostly black sky, where anchors' scores are equal but for rounding.
constexpr const char* kFlatPhoto = "000000122745";

// How many of `boxes` have no box of `others` within the tolerance, each being used once.
int64_t count_strays(const Tensor& boxes, const Tensor& others) {
  std::vector<bool> taken(static_cast<size_t>(others.size(0)));
  const auto matches = [](const float* a, const float* b) {
    return std::equal(a, a + 4, b,
                      [](float x, float y) { return std::abs(x - y) <= kBoxTolerance; });
  };
  int64_t strays = 0;
  for (int64_t i = 0; i < boxes.size(0); ++i) {
    const float* box = boxes.data<const float>() + i * 4;
    bool found = false;
    for (int64_t j = 0; j < others.size(0) && !found; ++j) {
      const auto slot = static_cast<size_t>(j);
      if (taken[slot] || !matches(box, others.data<const float>() + j * 4)) continue;
      taken[slot] = found = true;
    }
    strays += found ? 0 : 1;
  }
  return strays;
}

Proposals one_image(const Tensor& boxes, const Tensor& scores) {
  const int64_t count = boxes.size(0);
  return {.boxes = boxes.reshape({1, count, 4}),
          .scores = scores.reshape({1, count}),
          .count = Tensor::from(std::vector<int32_t>{static_cast<int32_t>(count)}, {1})};
}

// The detections, from our proposals. A flat region of a photo gives anchors whose scores are equal
// but for rounding; which of two that overlap survives is then not defined, and where that reaches
// the detections the heads are compared on the reference's proposals instead.
Instances comparable_detections(const MaskRcnn& model, const ImageBatch& batch,
                                const Features& features, const GoldenFile& golden,
                                const std::string& photo, int& num_replaced) {
  const Proposals ours = model.propose(features, batch);
  const int64_t count = ours.count.data<const int32_t>()[0];
  Instances found = model.heads(features, ours, batch)[0];
  const Tensor boxes = golden.golden(photo + "/proposals");
  const Tensor scores = golden.golden(photo + "/proposal_scores");
  CHECK(std::abs(count - boxes.size(0)) <= 2);
  const int64_t best = std::min(count, boxes.size(0)) / 4;
  CHECK(worst_gap(ours.scores.reshape({ours.scores.size(1)}).slice(0, best),
                  scores.slice(0, best)) <= kScoreTolerance);
  const int64_t strays =
      count_strays(ours.boxes.reshape({ours.boxes.size(1), 4}).slice(0, count), boxes);
  if (photo == kFlatPhoto) {
    CHECK(strays * 20 <= count);
  } else {
    CHECK(strays <= 2);
  }
  const std::vector<int64_t> partners = pair_up(found, reference_detections(golden, photo));
  if (std::ranges::find(partners, -1) == partners.end() || strays == 0) return found;
  ++num_replaced;
  return model.heads(features, one_image(boxes, scores), batch)[0];
}

void compare_photo(const MaskRcnn& model, const GoldenFile& golden,
                   const std::filesystem::path& path, int& num_replaced) {
  const std::string photo = path.stem().string();
  CAPTURE(photo);
  const Tensor pixels = pixels_of(path);
  const auto crc = crc32(0, pixels.data<const uint8_t>(), static_cast<uInt>(pixels.bytes()));
  REQUIRE(static_cast<int64_t>(crc) == golden.golden(photo + "/pixels_crc32").data<int64_t>()[0]);

  const ImageBatch batch = model.preprocess(std::span(&pixels, 1));
  const int64_t* resized = golden.golden(photo + "/resized_size").data<const int64_t>();
  CHECK(batch.resized[0] == ImageSize{resized[0], resized[1]});
  const int64_t* padded = golden.golden(photo + "/padded_size").data<const int64_t>();
  CHECK(batch.pixels.shape() == Shape{1, padded[0], padded[1], 3});

  std::map<std::string, Tensor> seen{{"input", batch.pixels}};
  const auto keep = [&seen](std::string_view name, const Tensor& value) {
    seen.emplace(name, value);
  };
  const Features features = model.features(batch.pixels, {.stage_ended = nullptr, .tensor = keep});
  compare_maps(golden, photo, model.config().fpn, seen);
  compare_detections(golden, photo,
                     comparable_detections(model, batch, features, golden, photo, num_replaced),
                     model.config());
}

void compare_case(const Case& test) {
  const GoldenFile golden(std::string("model_") + test.golden + ".safetensors");
  const std::unique_ptr<MaskRcnn> model = seeded_model(test.model, test.compat);
  int num_replaced = 0;
  for (const auto& path : photos()) compare_photo(*model, golden, path, num_replaced);
  CHECK(num_replaced <= test.max_replaced);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

// Three of the four are padded to one size and so computed together.
void compare_batch_with_singles(const std::string& model_name) {
  CAPTURE(model_name);
  const std::unique_ptr<MaskRcnn> model = seeded_model(model_name, false);
  std::vector<Tensor> images;
  for (const char* photo : {"000000184324", "000000122745", "000000208901", "000000343937"}) {
    images.push_back(pixels_of(std::string(MRCNN_TEST_DATA "/photos/") + photo + ".jpg"));
  }
  const std::vector<Instances> together = model->detect(images);
  REQUIRE(together.size() == images.size());
  for (size_t i = 0; i < images.size(); ++i) {
    CAPTURE(i);
    const Instances alone = model->detect(std::span(&images[i], 1))[0];
    CHECK(alone.size() >= 20);
    CHECK(same_bits(together[i].boxes, alone.boxes));
    CHECK(same_bits(together[i].labels, alone.labels));
    CHECK(same_bits(together[i].scores, alone.scores));
    CHECK(same_bits(together[i].mask_probs, alone.mask_probs));
  }
}

}  // namespace

TEST_CASE("A batch of four photos equals the photos one by one, bit for bit") {
  for (const char* name :
       {"maskrcnn_resnet50_c5", "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2"}) {
    compare_batch_with_singles(name);
    if (kNumPhotos == 1) break;  // one model is enough for the sanitizers
  }
}

TEST_CASE("The original system is reproduced with its faults when asked") {
  compare_case(
      {.golden = "c5_compat", .model = "maskrcnn_resnet50_c5", .compat = true, .max_replaced = 1});
}

TEST_CASE("The original system without its faults") {
  compare_case(
      {.golden = "c5", .model = "maskrcnn_resnet50_c5", .compat = false, .max_replaced = 1});
}

TEST_CASE("Torchvision's v1 is reproduced") {
  compare_case(
      {.golden = "v1", .model = "maskrcnn_resnet50_fpn", .compat = false, .max_replaced = 0});
}

TEST_CASE("Torchvision's v2 is reproduced") {
  compare_case(
      {.golden = "v2", .model = "maskrcnn_resnet50_fpn_v2", .compat = false, .max_replaced = 0});
}

#include "kernels/image/resize_normalize_pad.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/primitives.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"
#include "tests/support/text_golden.h"

namespace mrcnn {
namespace {

using test::random_tensor;

Tensor random_image(int64_t height, int64_t width, uint64_t seed) {
  return random_tensor<uint8_t>({height, width, 3}, seed, 0, 256);
}

Tensor resize_one(const Tensor& image, const ImageSize& size,
                  const ResizeNormalizePadParams& params) {
  return resize_normalize_pad(std::vector<Tensor>{image}, std::vector<ImageSize>{size}, params);
}

float at(const Tensor& batch, int64_t n, int64_t y, int64_t x, int64_t c) {
  return batch.data<const float>()[((n * batch.size(1) + y) * batch.size(2) + x) * 3 + c];
}

// The definition in double, without tables: one output value.
double interpolated(const Tensor& image, const ImageSize& size,
                    const ResizeNormalizePadParams& params, int64_t y, int64_t x, size_t channel) {
  const auto source = [](int64_t i, int64_t input, int64_t output) {
    const double scale = static_cast<double>(input) / static_cast<double>(output);
    return std::clamp((static_cast<double>(i) + 0.5) * scale - 0.5, 0.0,
                      static_cast<double>(input - 1));
  };
  const double sy = source(y, image.size(0), size.height),
               sx = source(x, image.size(1), size.width);
  const auto pixel = [&](double py, double px) {
    const auto row = std::min(static_cast<int64_t>(py), image.size(0) - 1);
    const auto column = std::min(static_cast<int64_t>(px), image.size(1) - 1);
    const size_t from = params.pixel_order == PixelOrder::kRgb ? channel : 2 - channel;
    const int64_t index = (row * image.size(1) + column) * 3 + static_cast<int64_t>(from);
    const double value = static_cast<double>(image.data<const uint8_t>()[index]);
    return (value / static_cast<double>(params.divisor) -
            static_cast<double>(params.mean[channel])) /
           static_cast<double>(params.std[channel]);
  };
  const double wy = sy - std::floor(sy), wx = sx - std::floor(sx);
  const double y0 = std::floor(sy), x0 = std::floor(sx);
  return (pixel(y0, x0) * (1 - wx) + pixel(y0, x0 + 1) * wx) * (1 - wy) +
         (pixel(y0 + 1, x0) * (1 - wx) + pixel(y0 + 1, x0 + 1) * wx) * wy;
}

TEST_CASE("Rejects what is no photo, and sizes and parameters that make no sense") {
  const Tensor image = random_image(4, 5, 1);
  CHECK_THROWS_WITH_AS(resize_normalize_pad({}, {}, {}), doctest::Contains("0 images"), ShapeError);
  CHECK_THROWS_WITH_AS(
      resize_normalize_pad(std::vector<Tensor>{image, image}, std::vector<ImageSize>{{8, 8}}, {}),
      doctest::Contains("2 images but 1 sizes"), ShapeError);
  CHECK_THROWS_WITH_AS(resize_one(random_tensor<uint8_t>({4, 5}, 1), {8, 8}, {}),
                       doctest::Contains("[H, W, 3]"), ShapeError);
  CHECK_THROWS_AS(resize_one(Tensor::empty({0, 5, 3}, DType::kU8), {8, 8}, {}), ShapeError);
  CHECK_THROWS_AS(resize_one(Tensor{}, {8, 8}, {}), ShapeError);
  CHECK_THROWS_WITH_AS(resize_one(random_tensor({4, 5, 3}, 1), {8, 8}, {}),
                       doctest::Contains("must be u8"), DTypeError);
  CHECK_THROWS_WITH_AS(resize_one(image, {0, 8}, {}), doctest::Contains("0x8"), ShapeError);
  CHECK_THROWS_AS(resize_one(image, {8, 1 << 23}, {}), ShapeError);
  CHECK_THROWS_WITH_AS(resize_one(image, {8, 8}, {.std = {1, 0, 1}}), doctest::Contains("positive"),
                       UsageError);
  CHECK_THROWS_AS(resize_one(image, {8, 8}, {.divisor = 0}), UsageError);
  CHECK_THROWS_AS(resize_one(image, {8, 8}, {.size_divisor = 0}), UsageError);
  CHECK_THROWS_WITH_AS(resize_one(image, {8, 8}, {.output_channels = 5}),
                       doctest::Contains("3, 4 or 8 channels, not 5"), UsageError);
  CHECK_THROWS_WITH_AS(resize_one(image, {8, 8}, {.output_dtype = DType::kF64}),
                       doctest::Contains("f32 or bf16, not f64"), DTypeError);
}

TEST_CASE("Rejects batches that do not hold the images") {
  const std::vector<Tensor> images{random_image(4, 5, 1)};
  const std::vector<ImageSize> sizes{{8, 9}};
  const auto into = [&](const Tensor& output) {
    resize_normalize_pad_into(images, sizes, {}, output);
  };
  CHECK_THROWS_WITH_AS(into(Tensor::empty({1, 8, 8, 3})), doctest::Contains("up to 8x9"),
                       ShapeError);
  CHECK_THROWS_AS(into(Tensor::empty({1, 7, 9, 3})), ShapeError);
  CHECK_THROWS_AS(into(Tensor::empty({2, 8, 9, 3})), ShapeError);
  CHECK_THROWS_AS(into(Tensor{}), ShapeError);
  CHECK_THROWS_AS(into(Tensor::empty({1, 8, 9, 2})), UsageError);
  CHECK_THROWS_AS(into(Tensor::empty({1, 8, 9, 3}, DType::kU8)), DTypeError);
}

TEST_CASE("Matches golden: torchvision's normalisation and torch's resize") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/image_ops/resize.txt");
  for (const std::string name : {"up", "down", "same", "one_pixel", "mixed", "wide"}) {
    CAPTURE(name);
    const Tensor expected = golden.at(name + ".output");
    const ImageSize size{expected.size(1), expected.size(2)};
    const Tensor batch = resize_one(golden.at(name + ".image"), size, {});
    REQUIRE(batch.shape() ==
            Shape{1, (size.height + 31) / 32 * 32, (size.width + 31) / 32 * 32, 3});
    double worst = 0;
    for (int64_t y = 0; y < size.height; ++y) {
      for (int64_t x = 0; x < size.width * 3; ++x) {
        const auto value = static_cast<double>(at(batch, 0, y, 0, x));
        const auto wanted =
            static_cast<double>(expected.data<const float>()[y * size.width * 3 + x]);
        worst = std::max(worst, std::abs(value - wanted) / std::max(1.0, std::abs(wanted)));
      }
    }
    CHECK(worst <= 1e-6);
  }
}

TEST_CASE("Matches the definition for both pixel orders and value ranges") {
  const ResizeNormalizePadParams rgb{};
  const ResizeNormalizePadParams bgr{.pixel_order = PixelOrder::kBgr,
                                     .divisor = 1,
                                     .mean = {103.53F, 116.28F, 123.675F},
                                     .std = {1, 1, 1},
                                     .size_divisor = 1};
  const Tensor image = random_image(37, 53, 3);
  for (const ImageSize size :
       {ImageSize{80, 115}, ImageSize{37, 53}, ImageSize{9, 11}, ImageSize{1, 60}}) {
    for (const ResizeNormalizePadParams& params : {rgb, bgr}) {
      const Tensor batch = resize_one(image, size, params);
      double worst = 0;
      for (int64_t y = 0; y < size.height; ++y) {
        for (int64_t x = 0; x < size.width; ++x) {
          for (size_t c = 0; c < 3; ++c) {
            const double value = static_cast<double>(at(batch, 0, y, x, static_cast<int64_t>(c)));
            worst = std::max(worst, std::abs(value - interpolated(image, size, params, y, x, c)));
          }
        }
      }
      // Coordinates are f32: up to 4e-6 of a pixel off at 53 pixels, times the largest step.
      CHECK(worst <= (params.divisor > 1 ? 3e-5 : 2e-3));
    }
  }
}

TEST_CASE("A value equals the published one: grey 0.5") {
  ResizeNormalizePadParams params;
  params.divisor = 2;  // the byte 1 is then 0.5
  const Tensor image = Tensor::from<uint8_t>(std::vector<uint8_t>{1, 1, 1}, {1, 1, 3});
  const Tensor batch = resize_one(image, {1, 1}, params);
  CHECK(at(batch, 0, 0, 0, 0) == doctest::Approx(0.0655021).epsilon(1e-6));
  CHECK(at(batch, 0, 0, 0, 1) == doctest::Approx(0.1964286).epsilon(1e-6));
  CHECK(at(batch, 0, 0, 0, 2) == doctest::Approx(0.4177778).epsilon(1e-6));
}

TEST_CASE("A batch equals its images alone, and everything beyond an image is 0") {
  const std::vector<Tensor> images{random_image(30, 20, 4), random_image(10, 50, 5)};
  const std::vector<ImageSize> sizes{{70, 47}, {20, 100}};
  const Tensor batch = resize_normalize_pad(images, sizes, {});
  REQUIRE(batch.shape() == Shape{2, 96, 128, 3});
  for (int64_t n = 0; n < 2; ++n) {
    const ImageSize size = sizes[static_cast<size_t>(n)];
    const Tensor alone = resize_one(images[static_cast<size_t>(n)], size, {});
    int64_t wrong = 0;
    for (int64_t y = 0; y < 96; ++y) {
      for (int64_t x = 0; x < 128; ++x) {
        for (int64_t c = 0; c < 3; ++c) {
          const bool inside = y < size.height && x < size.width;
          if (at(batch, n, y, x, c) != (inside ? at(alone, 0, y, x, c) : 0.0F)) ++wrong;
        }
      }
    }
    CHECK(wrong == 0);
  }
}

// The batch that `plain` ([N, H, W, 3] f32) stands for with other channels and another type.
Tensor converted(const Tensor& plain, int64_t channels, DType dtype) {
  Tensor wide = Tensor::zeros({plain.size(0), plain.size(1), plain.size(2), channels});
  for (int64_t i = 0; i < plain.numel() / 3; ++i) {
    std::copy_n(plain.data<const float>() + 3 * i, 3, wide.data<float>() + channels * i);
  }
  return cast(wide, dtype);
}

TEST_CASE("Other types round once, other channels are 0") {
  const Tensor image = random_image(13, 21, 6);
  const Tensor plain = resize_one(image, {30, 50}, {});
  for (const int64_t channels : {3, 4, 8}) {
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      const Tensor batch =
          resize_one(image, {30, 50}, {.output_channels = channels, .output_dtype = dtype});
      CHECK(test::count_different_bits(batch, converted(plain, channels, dtype)) == 0);
    }
  }
}

TEST_CASE("Writes all of a given batch, whose shape and type count") {
  const std::vector<Tensor> images{random_image(13, 21, 6)};
  const std::vector<ImageSize> sizes{{30, 50}};
  Tensor batch = Tensor::empty({1, 64, 64, 4}, DType::kBF16);
  fill_(batch, 7);
  resize_normalize_pad_into(images, sizes, {}, batch);
  const Tensor expected =
      converted(resize_one(images[0], {30, 50}, {.size_divisor = 64}), 4, DType::kBF16);
  CHECK(test::count_different_bits(batch, expected) == 0);
}

Tensor mirrored_image(const Tensor& image) {
  Tensor result = Tensor::empty(image.shape(), DType::kU8);
  const int64_t width = image.size(1);
  for (int64_t i = 0; i < image.size(0) * width; ++i) {
    std::copy_n(image.data<const uint8_t>() + (i / width * width + width - 1 - i % width) * 3, 3,
                result.data<uint8_t>() + i * 3);
  }
  return result;
}

constexpr ImagePlacement kWindow{
    .resized = {30, 50}, .visible = {20, 40}, .crop_top = 7, .crop_left = 9, .flip = true};

TEST_CASE("A placement is the mirrored image, resized, and a window of that") {
  const Tensor image = random_image(13, 21, 6);
  const std::vector<Tensor> images{image};
  const std::vector<ImagePlacement> placements{kWindow};
  Tensor batch = Tensor::empty({1, 32, 64, 3});
  fill_(batch, 7);
  resize_normalize_pad_into(images, placements, {}, batch);
  const Tensor whole = resize_one(mirrored_image(image), kWindow.resized, {});
  int64_t wrong = 0;
  for (int64_t i = 0; i < batch.numel(); ++i) {
    const int64_t c = i % 3, x = i / 3 % 64, y = i / 3 / 64;
    const bool inside = y < 20 && x < 40;
    if (at(batch, 0, y, x, c) != (inside ? at(whole, 0, y + 7, x + 9, c) : 0.0F)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("A photo that keeps its size is its normalised pixels, mirrored and cut") {
  const Tensor image = random_image(13, 21, 6);
  const std::vector<ImagePlacement> placements{
      {.resized = {13, 21}, .visible = {9, 16}, .crop_top = 3, .crop_left = 2, .flip = true}};
  const ResizeNormalizePadParams params{.pixel_order = PixelOrder::kBgr};
  const Tensor batch = Tensor::empty({1, 32, 32, 3});
  resize_normalize_pad_into(std::vector<Tensor>{image}, placements, params, batch);
  int64_t wrong = 0;
  for (int64_t i = 0; i < batch.numel(); ++i) {
    const int64_t c = i % 3, x = i / 3 % 32, y = i / 3 / 32;
    float expected = 0;
    if (y < 9 && x < 16) {
      const int64_t from = ((y + 3) * 21 + 20 - (x + 2)) * 3 + 2 - c;
      const auto value = static_cast<float>(image.data<const uint8_t>()[from]);
      const auto channel = static_cast<size_t>(c);
      expected = (value / params.divisor - params.mean[channel]) / params.std[channel];
    }
    if (at(batch, 0, y, x, c) != expected) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Rejects a window beside the image") {
  const std::vector<Tensor> images{random_image(13, 21, 6)};
  const Tensor batch = Tensor::empty({1, 64, 64, 3});
  const auto rejects = [&](ImagePlacement placement) {
    const std::vector<ImagePlacement> placements{placement};
    CHECK_THROWS_WITH_AS(resize_normalize_pad_into(images, placements, {}, batch),
                         doctest::Contains("are not in an image of 30x50"), ShapeError);
  };
  rejects({.resized = {30, 50}, .visible = {30, 50}, .crop_top = 1});
  rejects({.resized = {30, 50}, .visible = {20, 50}, .crop_left = 1});
  rejects({.resized = {30, 50}, .visible = {20, 20}, .crop_left = -1});
  rejects({.resized = {30, 50}, .visible = {0, 20}});
}

TEST_CASE("CUDA matches the CPU bit by bit: sizes, orders, channels and types") {
  test::on_cuda([](Device device) {
    for (const ImageSize size : {ImageSize{1, 1}, {5, 31}, {17, 23}, {3, 257}, {40, 33}}) {
      CAPTURE(size.width);
      for (const int64_t channels : {3, 4, 8}) {
        for (const DType dtype : {DType::kF32, DType::kBF16}) {
          ResizeNormalizePadParams params{
              .size_divisor = 8, .output_channels = channels, .output_dtype = dtype};
          if (channels == 4) params.pixel_order = PixelOrder::kBgr;
          const Tensor image = random_image(17, 23, 7);
          const Tensor batch = resize_one(copy_to(image, device), size, params);
          CHECK(batch.device() == device);
          CHECK(test::count_different_bits(batch, resize_one(image, size, params)) == 0);
        }
      }
    }
  });
}

TEST_CASE("CUDA: fills a given batch with images of several sizes") {
  test::on_cuda([](Device device) {
    const std::vector<Tensor> images{random_image(9, 12, 8), random_image(14, 5, 9)};
    const std::vector<Tensor> copies{copy_to(images[0], device), copy_to(images[1], device)};
    const std::vector<ImageSize> sizes{{20, 26}, {30, 11}};
    const Tensor expected = Tensor::empty({2, 32, 40, 8}, DType::kBF16);
    resize_normalize_pad_into(images, sizes, {}, expected);
    const Tensor batch = Tensor::empty({2, 32, 40, 8}, DType::kBF16, device);
    resize_normalize_pad_into(copies, sizes, {}, batch);
    CHECK(test::count_different_bits(batch, expected) == 0);
    CHECK_THROWS_WITH_AS(resize_normalize_pad_into(images, sizes, {}, batch),
                         doctest::Contains("different devices"), DeviceError);
  });
}

TEST_CASE("CUDA: places an image as the CPU does") {
  test::on_cuda([](Device device) {
    const std::vector<Tensor> images{random_image(13, 21, 6)};
    const std::vector<Tensor> copies{copy_to(images[0], device)};
    const std::vector<ImagePlacement> placements{kWindow};
    const Tensor expected = Tensor::empty({1, 32, 64, 4});
    resize_normalize_pad_into(images, placements, {}, expected);
    const Tensor batch = Tensor::empty({1, 32, 64, 4}, DType::kF32, device);
    resize_normalize_pad_into(copies, placements, {}, batch);
    CHECK(test::count_different_bits(batch, expected) == 0);
  });
}

}  // namespace
}  // namespace mrcnn

#include "models/mask_rcnn/config_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "models/weight_metadata.h"

namespace mrcnn {
namespace {

class Reader {
 public:
  explicit Reader(const std::map<std::string, std::string>& metadata) : metadata_(metadata) {}

  bool has(std::string_view key) const { return metadata_.contains(std::string(key)); }

  double number(std::string_view key) const { return parse(key, text(key)); }

  bool flag(std::string_view key) const {
    const std::string& value = text(key);
    if (value != "true" && value != "false") fail(key, "true or false");
    return value == "true";
  }

  // Three numbers with anything but digits, signs, points and exponents between them.
  std::array<float, 3> triple(std::string_view key) const {
    constexpr std::string_view kNumberCharacters = "0123456789+-.eE";
    std::string_view rest = text(key);
    std::array<float, 3> values{};
    for (float& value : values) {
      const size_t begin = rest.find_first_of(kNumberCharacters);
      if (begin == std::string_view::npos) fail(key, "three numbers");
      rest.remove_prefix(begin);
      const size_t end = std::min(rest.find_first_not_of(kNumberCharacters), rest.size());
      value = static_cast<float>(parse(key, rest.substr(0, end)));
      rest.remove_prefix(end);
    }
    return values;
  }

  // Pixels of an image's side.
  int64_t side(std::string_view key) const {
    const double value = number(key);
    if (!(value >= 1 && value <= 65500)) fail(key, "a number of pixels");
    return static_cast<int64_t>(value);
  }

  const std::string& text(std::string_view key) const { return metadata_.at(std::string(key)); }

  [[noreturn]] void fail(std::string_view key, const char* wanted) const {
    throw Error(ExitCode::kModel, "metadata '" + std::string(key) + "' is '" + text(key) + "', " +
                                      wanted + " is needed");
  }

 private:
  double parse(std::string_view key, std::string_view digits) const {
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(value)) {
      fail(key, "a number");
    }
    return value;
  }

  const std::map<std::string, std::string>& metadata_;
};

void apply_pixels(const Reader& reader, ResizeNormalizePadParams& pixels) {
  namespace key = metadata_key;
  if (reader.has(key::kPixelOrder)) {
    const std::string& order = reader.text(key::kPixelOrder);
    if (order != "RGB" && order != "BGR") reader.fail(key::kPixelOrder, "RGB or BGR");
    pixels.pixel_order = order == "RGB" ? PixelOrder::kRgb : PixelOrder::kBgr;
  }
  if (reader.has(key::kPixelScale)) {
    pixels.divisor = static_cast<float>(reader.number(key::kPixelScale));
    if (pixels.divisor <= 0) reader.fail(key::kPixelScale, "a positive number");
  }
  if (reader.has(key::kPixelMean)) pixels.mean = reader.triple(key::kPixelMean);
  if (reader.has(key::kPixelStd)) {
    pixels.std = reader.triple(key::kPixelStd);
    for (const float std : pixels.std) {
      if (std <= 0) reader.fail(key::kPixelStd, "three positive numbers");
    }
  }
}

}  // namespace

void apply_metadata(const std::map<std::string, std::string>& metadata, MaskRcnnConfig& config) {
  namespace key = metadata_key;
  const Reader reader(metadata);
  apply_pixels(reader, config.input.normalization);
  if (reader.has(key::kBnEps)) {
    config.backbone.norm_eps = reader.number(key::kBnEps);
    if (config.backbone.norm_eps < 0) reader.fail(key::kBnEps, "a number from 0 up");
  }
  if (reader.has(key::kStrideIn1x1)) config.backbone.stride_in_1x1 = reader.flag(key::kStrideIn1x1);
  if (reader.has(key::kRoiAligned)) config.roi.aligned = reader.flag(key::kRoiAligned);
  if (reader.has(key::kRoiSamples)) {
    const double samples = reader.number(key::kRoiSamples);
    if (samples < 0 || samples > 64) reader.fail(key::kRoiSamples, "0 to 64");
    config.roi.sampling_ratio = static_cast<int64_t>(samples);
  }
  if (reader.has(key::kAnchorsRounded)) config.anchors.round = reader.flag(key::kAnchorsRounded);
  if (reader.has(key::kMinSize)) config.input.resize.min_size = reader.side(key::kMinSize);
  if (reader.has(key::kMaxSize)) config.input.resize.max_size = reader.side(key::kMaxSize);
}

void describe_config(const MaskRcnnConfig& config, std::map<std::string, std::string>& metadata) {
  namespace key = metadata_key;
  const auto set = [&](std::string_view name, std::string value) {
    metadata[std::string(name)] = std::move(value);
  };
  const auto flag = [](bool value) { return value ? "true" : "false"; };
  const auto triple = [](const std::array<float, 3>& values) {
    return fmt::format("{},{},{}", values[0], values[1], values[2]);
  };
  const ResizeNormalizePadParams& pixels = config.input.normalization;
  set(key::kPixelOrder, pixels.pixel_order == PixelOrder::kRgb ? "RGB" : "BGR");
  set(key::kPixelScale, fmt::format("{}", pixels.divisor));
  set(key::kPixelMean, triple(pixels.mean));
  set(key::kPixelStd, triple(pixels.std));
  set(key::kBnEps, fmt::format("{}", config.backbone.norm_eps));
  set(key::kStrideIn1x1, flag(config.backbone.stride_in_1x1));
  set(key::kRoiAligned, flag(config.roi.aligned));
  set(key::kRoiSamples, std::to_string(config.roi.sampling_ratio));
  set(key::kAnchorsRounded, flag(config.anchors.round));
  set(key::kMinSize, std::to_string(config.input.resize.min_size));
  set(key::kMaxSize, std::to_string(config.input.resize.max_size));
}

}  // namespace mrcnn

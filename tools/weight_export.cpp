#include "tools/weight_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "core/error.h"
#include "layers/state_dict.h"
#include "models/mask_rcnn/config_metadata.h"
#include "models/zoo.h"

namespace mrcnn {
namespace {

constexpr std::string_view kCounter = ".num_batches_tracked";

// What torchvision gives every model, and the original system its one. torchvision sets 0 for its
// own v1 weights only. Source: torchvision 0.29 ops/misc.py FrozenBatchNorm2d and
// models/detection/mask_rcnn.py; nn.BatchNorm2d.
constexpr double kReferenceEps = 1e-5;
constexpr ResizeParams kReferenceSize{.min_size = 800, .max_size = 1333};

// What no argument of the reference's model can set; "" if there is nothing.
std::string find_foreign_facts(const MaskRcnnConfig& config, const MaskRcnnConfig& usual) {
  std::vector<std::string> facts;
  const ResizeNormalizePadParams& pixels = config.input.normalization;
  if (pixels.pixel_order != usual.input.normalization.pixel_order) facts.push_back("BGR pixels");
  if (pixels.divisor != usual.input.normalization.divisor) {
    facts.push_back(fmt::format("pixels divided by {}", pixels.divisor));
  }
  if (config.backbone.stride_in_1x1) facts.push_back("strides in the 1x1 convolutions");
  if (config.roi.aligned != usual.roi.aligned ||
      config.roi.sampling_ratio != usual.roi.sampling_ratio) {
    facts.push_back("another RoIAlign");
  }
  if (config.anchors.round != usual.anchors.round) facts.push_back("anchors rounded otherwise");
  return fmt::format("{}", fmt::join(facts, ", "));
}

std::vector<std::string> list_notes(const MaskRcnnConfig& config, const MaskRcnnConfig& usual) {
  std::vector<std::string> notes;
  if (config.backbone.norm_eps != kReferenceEps) {
    notes.push_back(
        fmt::format("the body's norm layers have epsilon {}, the reference builds them with {}; "
                    "after loading:\n"
                    "  for m in model.backbone.body.modules():\n"
                    "      if hasattr(m, \"eps\"): m.eps = {}",
                    config.backbone.norm_eps, kReferenceEps, config.backbone.norm_eps));
  }
  const ResizeNormalizePadParams& pixels = config.input.normalization;
  if (pixels.mean != usual.input.normalization.mean ||
      pixels.std != usual.input.normalization.std) {
    notes.push_back(
        fmt::format("pixels are normalised otherwise; build the model with "
                    "image_mean=[{}], image_std=[{}]",
                    fmt::join(pixels.mean, ", "), fmt::join(pixels.std, ", ")));
  }
  const ResizeParams& resize = config.input.resize;
  if (resize.min_size != kReferenceSize.min_size || resize.max_size != kReferenceSize.max_size) {
    notes.push_back(
        fmt::format("images are resized otherwise; build the model with min_size={}, max_size={}",
                    resize.min_size, resize.max_size));
  }
  return notes;
}

FileTensor own_tensor(std::string name, const Tensor& values, FileDType dtype,
                      TensorArchive& archive) {
  FileTensor tensor;
  tensor.name = std::move(name);
  tensor.dtype = dtype;
  const std::span<const int64_t> extents = values.shape().extents();
  tensor.shape.assign(extents.begin(), extents.end());
  tensor.bytes = {static_cast<const std::byte*>(values.raw()), static_cast<size_t>(values.bytes())};
  archive.owners.push_back(std::make_shared<Tensor>(values));
  return tensor;
}

// The tensor as a state dict holds it.
FileTensor export_tensor(const FileTensor& source, const std::string& path,
                         TensorArchive& archive) {
  const bool is_counter = source.name.ends_with(kCounter);
  const auto is_one_of = [&](std::initializer_list<FileDType> dtypes) {
    return std::find(dtypes.begin(), dtypes.end(), source.dtype) != dtypes.end();
  };
  const bool is_floating =
      is_one_of({FileDType::kF16, FileDType::kBF16, FileDType::kF32, FileDType::kF64});
  if (is_counter ? source.dtype != FileDType::kI64 : !is_floating) {
    throw FileError(ExitCode::kModel, path, source.name,
                    fmt::format("holds {}, {} is needed", file_dtype_name(source.dtype),
                                is_counter ? "I64" : "a floating type"));
  }
  if (is_counter || source.dtype == FileDType::kF32) return source;
  return own_tensor(source.name, floats_of(source), FileDType::kF32, archive);
}

}  // namespace

WeightExport export_weights(const Conversion& conversion, const std::string& path,
                            ExportNames names) {
  if (!conversion.names.complete()) {
    throw FileError(ExitCode::kModel, path, "",
                    "does not fit the model, and load_state_dict takes all tensors or none");
  }
  const MaskRcnnConfig usual = model_config(conversion.model, conversion.num_classes);
  MaskRcnnConfig config = usual;
  apply_metadata(conversion.archive.metadata, config);
  const std::string foreign = find_foreign_facts(config, usual);
  if (!foreign.empty()) {
    throw FileError(ExitCode::kModel, path, "",
                    "these weights need a network that the reference cannot build: " + foreign);
  }

  WeightExport result;
  result.archive.owners = conversion.archive.owners;
  std::map<std::string_view, const FileTensor*> sources;
  for (const FileTensor& tensor : conversion.archive.tensors) {
    sources.emplace(tensor.name, &tensor);
  }
  for (const NameAndShape& wanted : expected_tensors(conversion.model, conversion.num_classes)) {
    const auto found = sources.find(wanted.name);
    FileTensor tensor = found != sources.end()
                            ? export_tensor(*found->second, path, result.archive)
                            : own_tensor(wanted.name, Tensor::zeros(Shape{}, DType::kI64),
                                         FileDType::kI64, result.archive);
    if (names == ExportNames::kLegacy) {
      tensor.name = legacy_torchvision_name(tensor.name, conversion.model);
    }
    result.archive.tensors.push_back(std::move(tensor));
  }
  result.archive.metadata = conversion.archive.metadata;
  result.archive.metadata["format"] = "pt";  // what readers for PyTorch look for
  result.notes = list_notes(config, usual);
  return result;
}

}  // namespace mrcnn

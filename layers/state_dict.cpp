#include "layers/state_dict.h"

#include <bit>
#include <cstring>
#include <map>

#include "core/error.h"
#include "core/parallel.h"
#include "kernels/shape/weight_layout.h"

namespace mrcnn {
namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i > 0 ? "," : "") + std::to_string(shape[i]);
  }
  return text + "]";
}

float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16;
  const uint32_t exponent = (half >> 10) & 0x1FU;
  const uint32_t mantissa = half & 0x3FFU;
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24, exact
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000U | (mantissa << 13));
  return std::bit_cast<float>(sign | ((exponent + 112U) << 23) | (mantissa << 13));
}

template <typename Stored, typename Convert>
void convert_elements(const FileTensor& source, float* values, int64_t count, Convert convert) {
  const std::byte* bytes = source.bytes.data();
  parallel_for(0, count, int64_t{1} << 18, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Stored stored;  // files promise no alignment
      std::memcpy(&stored, bytes + i * static_cast<int64_t>(sizeof(Stored)), sizeof(Stored));
      values[i] = convert(stored);
    }
  });
}

Tensor read_integers(const FileTensor& source) {
  if (source.dtype != FileDType::kI64) {
    throw DTypeError("[load_parameters] '" + source.name + "' holds " +
                     std::string(file_dtype_name(source.dtype)) + ", I64 is needed");
  }
  Tensor tensor = Tensor::empty(Shape(std::span<const int64_t>(source.shape)), DType::kI64);
  std::memcpy(tensor.raw(), source.bytes.data(), source.bytes.size());
  return tensor;
}

FlattenedMap flattened_map(const Parameter& parameter) {
  return {.channels = parameter.file_shape[1] / parameter.positions,
          .height = parameter.positions,  // only the number of positions matters
          .width = 1};
}

void append_names(std::string& text, const char* what, const std::vector<std::string>& names,
                  size_t limit) {
  if (names.empty()) return;
  text += "\n  " + std::to_string(names.size()) + " " + what + ":";
  for (size_t i = 0; i < names.size() && i < limit; ++i) text += "\n    " + names[i];
  if (names.size() > limit)
    text += "\n    ... and " + std::to_string(names.size() - limit) + " more";
}

}  // namespace

std::vector<ParameterInfo> parameter_list(const Module& root) {
  std::vector<ParameterInfo> list;
  root.visit_parameters([&list](const std::string& name, const Parameter& parameter) {
    list.push_back({.name = name,
                    .file_shape = parameter.file_shape,
                    .dtype = parameter.dtype,
                    .is_buffer = parameter.is_buffer,
                    .optional = parameter.dtype == DType::kI64});
  });
  return list;
}

std::string LoadReport::to_string(size_t limit) const {
  std::string text = std::to_string(matched) + " matched, " + std::to_string(missing.size()) +
                     " missing, " + std::to_string(unexpected.size()) + " unexpected, " +
                     std::to_string(misshaped.size()) + " mis-shaped";
  append_names(text, "missing", missing, limit);
  append_names(text, "mis-shaped", misshaped, limit);
  append_names(text, "unexpected", unexpected, limit);
  return text;
}

Tensor floats_of(const FileTensor& source) {
  Tensor tensor = Tensor::empty(Shape(std::span<const int64_t>(source.shape)));
  float* values = tensor.data<float>();
  const int64_t count = tensor.numel();
  switch (source.dtype) {
    case FileDType::kF32:
      std::memcpy(values, source.bytes.data(), source.bytes.size());
      break;
    case FileDType::kF64:
      convert_elements<double>(source, values, count,
                               [](double x) { return static_cast<float>(x); });
      break;
    case FileDType::kF16:
      convert_elements<uint16_t>(source, values, count, half_to_float);
      break;
    case FileDType::kBF16:
      convert_elements<uint16_t>(source, values, count, [](uint16_t x) {
        return std::bit_cast<float>(static_cast<uint32_t>(x) << 16);
      });
      break;
    default:
      throw DTypeError("[floats_of] '" + source.name + "' holds " +
                       std::string(file_dtype_name(source.dtype)) + ", a floating type is needed");
  }
  return tensor;
}

LoadReport load_parameters(Module& root, const TensorArchive& archive) {
  std::map<std::string_view, const FileTensor*> unused;
  for (const FileTensor& tensor : archive.tensors) unused.emplace(tensor.name, &tensor);
  LoadReport report;
  root.visit_parameters([&](const std::string& name, Parameter& parameter) {
    const auto found = unused.find(name);
    if (found == unused.end()) {
      if (parameter.dtype != DType::kI64) report.missing.push_back(name);
      return;
    }
    const FileTensor& source = *found->second;
    unused.erase(found);
    if (source.shape != parameter.file_shape) {
      report.misshaped.push_back(name + ": file " + shape_text(source.shape) + ", model " +
                                 shape_text(parameter.file_shape));
      return;
    }
    ++report.matched;
    parameter.value = parameter.dtype == DType::kI64
                          ? read_integers(source)
                          : to_memory_order(floats_of(source), parameter);
  });
  for (const auto& [name, tensor] : unused) report.unexpected.emplace_back(name);
  return report;
}

Tensor to_memory_order(const Tensor& file_order, const Parameter& parameter) {
  switch (parameter.layout) {
    case FileLayout::kConv:
      return oihw_to_ohwi(file_order);
    case FileLayout::kConvTranspose:
      return iohw_to_ohwi(file_order);
    case FileLayout::kFlattenedLinear:
      return linear_chw_to_hwc(file_order, flattened_map(parameter));
    case FileLayout::kPlain:
      break;
  }
  return file_order;
}

Tensor to_file_order(const Parameter& parameter) {
  switch (parameter.layout) {
    case FileLayout::kConv:
      return ohwi_to_oihw(parameter.value);
    case FileLayout::kConvTranspose:
      return ohwi_to_iohw(parameter.value);
    case FileLayout::kFlattenedLinear:
      return linear_hwc_to_chw(parameter.value, flattened_map(parameter));
    case FileLayout::kPlain:
      break;
  }
  return parameter.value;
}

}  // namespace mrcnn

#include "tools/conversion.h"

#include <fmt/format.h>

#include <atomic>
#include <cstring>

#include "core/error.h"
#include "core/io/sha256.h"
#include "core/parallel.h"
#include "models/weight_metadata.h"

namespace mrcnn {
namespace {

std::vector<NameAndShape> names_of(const TensorArchive& archive) {
  std::vector<NameAndShape> list;
  for (const FileTensor& tensor : archive.tensors) list.push_back({tensor.name, tensor.shape});
  return list;
}

std::string find_metadata(const TensorArchive& archive, std::string_view key) {
  const auto found = archive.metadata.find(std::string(key));
  return found == archive.metadata.end() ? "" : found->second;
}

std::string choose_model(const TensorArchive& source, const std::vector<NameAndShape>& names,
                         const ConversionOptions& options) {
  if (!options.model.empty()) return options.model;
  std::string model = find_metadata(source, metadata_key::kModel);
  if (model.empty()) model = guess_model(names);
  if (model.empty()) {
    throw UsageError("the names of the tensors do not tell the model; say which with --model");
  }
  return model;
}

int64_t choose_num_classes(const std::vector<NameAndShape>& names,
                           const ConversionOptions& options) {
  if (options.num_classes) return *options.num_classes;
  const std::optional<int64_t> guess = guess_num_classes(names);
  if (guess) return *guess;
  throw UsageError("the weights have no class scores to count; say how many with --classes");
}

// Rows of `tensor` in another order, or filled with a constant.
FileTensor reorder_rows(const FileTensor& tensor, const NameMatch& match, const std::string& path,
                        TensorArchive& archive) {
  if (tensor.dtype != FileDType::kF32) {
    throw FileError(ExitCode::kModel, path, tensor.name,
                    fmt::format("its classes can only be reordered in F32, not {}",
                                file_dtype_name(tensor.dtype)));
  }
  FileTensor result = tensor;
  const size_t row_bytes = tensor.bytes.size() / static_cast<size_t>(tensor.shape[0]);
  result.shape[0] = static_cast<int64_t>(match.rows.size());
  const size_t size = row_bytes * match.rows.size();
  const auto buffer = std::make_shared_for_overwrite<std::byte[]>(size);
  std::byte* target = buffer.get();
  for (const int64_t row : match.rows) {
    if (row < 0) {
      for (size_t at = 0; at < row_bytes; at += sizeof(float)) {
        std::memcpy(target + at, &match.fill, sizeof(float));
      }
    } else {
      std::memcpy(target, tensor.bytes.data() + static_cast<size_t>(row) * row_bytes, row_bytes);
    }
    target += row_bytes;
  }
  result.bytes = {buffer.get(), size};
  archive.owners.push_back(buffer);
  return result;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

// Whether the bits of an IEEE number have all exponent bits set.
template <typename Bits>
int64_t count_full_exponent(std::span<const std::byte> bytes, Bits exponent) {
  int64_t count = 0;
  for (size_t at = 0; at + sizeof(Bits) <= bytes.size(); at += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, bytes.data() + at, sizeof(Bits));
    count += (bits & exponent) == exponent ? 1 : 0;
  }
  return count;
}

}  // namespace

Conversion convert_to_model(const TensorArchive& source, const std::string& path,
                            const ConversionOptions& options) {
  Conversion result;
  result.source = names_of(source);
  const std::optional<Vocabulary> vocabulary = guess_vocabulary(result.source);
  if (!vocabulary) {
    throw FileError(ExitCode::kModel, path, "",
                    "the names of its tensors are those of no model known here (torchvision, "
                    "detectron2 R50-FPN, the original system); --list shows them");
  }
  result.model = choose_model(source, result.source, options);
  result.num_classes = choose_num_classes(result.source, options);
  result.names = translate(result.source, *vocabulary, result.model,
                           expected_tensors(result.model, result.num_classes));
  result.archive.owners = source.owners;
  for (const NameMatch& match : result.names.matched) {
    const FileTensor& tensor = source.tensors[match.source];
    FileTensor renamed =
        match.rows.empty() ? tensor : reorder_rows(tensor, match, path, result.archive);
    renamed.name = match.target;
    result.archive.tensors.push_back(std::move(renamed));
  }
  result.archive.metadata = weight_metadata(*vocabulary, result.model, result.num_classes);
  if (!find_metadata(source, metadata_key::kFormatVersion).empty()) {
    for (const auto& [key, value] : source.metadata) {
      const bool is_chosen = key == metadata_key::kModel || key == metadata_key::kNumClasses;
      if (!is_chosen) result.archive.metadata[key] = value;
    }
  }
  if (options.bn_eps) result.archive.metadata[std::string(metadata_key::kBnEps)] = *options.bn_eps;
  return result;
}

std::string Conversion::report() const {
  std::string text = fmt::format(
      "{} with {} classes, from {} names\n"
      "{} matched, {} missing, {} mis-shaped, {} unexpected, {} not needed\n",
      model, num_classes, vocabulary_name(names.vocabulary), names.matched.size(),
      names.missing.size(), names.misshaped.size(), names.unexpected.size(), names.dropped.size());
  for (const std::string& name : names.missing) text += fmt::format("missing: {}\n", name);
  for (const ShapeMismatch& entry : names.misshaped) {
    text += fmt::format("mis-shaped: {}: the file has {}, the model {}\n", entry.target,
                        shape_text(entry.source_shape), shape_text(entry.target_shape));
  }
  for (const size_t index : names.unexpected) {
    text += fmt::format("unexpected: {} {}\n", source[index].name, shape_text(source[index].shape));
  }
  return text;
}

std::string describe_tensor(const FileTensor& tensor) {
  std::string dtype;
  for (const char c : file_dtype_name(tensor.dtype)) {
    dtype += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return fmt::format("{} {} {}", dtype, shape_text(tensor.shape), tensor.name);
}

std::vector<std::string> hash_tensors(const TensorArchive& archive) {
  std::vector<std::string> lines(archive.tensors.size());
  parallel_for(0, static_cast<int64_t>(lines.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const FileTensor& tensor = archive.tensors[i];
      lines[i] = sha256_hex(tensor.bytes) + " " + describe_tensor(tensor);
    }
  });
  return lines;
}

int64_t count_non_finite(const TensorArchive& archive) {
  std::atomic<int64_t> total{0};
  parallel_for(0, static_cast<int64_t>(archive.tensors.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const FileTensor& tensor = archive.tensors[i];
      if (tensor.dtype == FileDType::kF32) {
        total += count_full_exponent<uint32_t>(tensor.bytes, 0x7f800000U);
      } else if (tensor.dtype == FileDType::kF64) {
        total += count_full_exponent<uint64_t>(tensor.bytes, 0x7ff0000000000000U);
      } else if (tensor.dtype == FileDType::kF16) {
        total += count_full_exponent<uint16_t>(tensor.bytes, uint16_t{0x7c00});
      } else if (tensor.dtype == FileDType::kBF16) {
        total += count_full_exponent<uint16_t>(tensor.bytes, uint16_t{0x7f80});
      }
    }
  });
  return total;
}

}  // namespace mrcnn

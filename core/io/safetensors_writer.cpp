#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "core/error.h"
#include "core/io/limits.h"
#include "core/io/safetensors.h"

namespace mrcnn {
namespace {

// The order of the reference writer: falling alignment, so that every tensor is aligned for its
// type without padding.
int write_rank(FileDType dtype) {
  constexpr std::array kOrder = {
      FileDType::kU64, FileDType::kI64,  FileDType::kF64, FileDType::kF32, FileDType::kU32,
      FileDType::kI32, FileDType::kBF16, FileDType::kF16, FileDType::kU16, FileDType::kI16,
      FileDType::kI8,  FileDType::kU8,   FileDType::kBool};
  return static_cast<int>(std::find(kOrder.begin(), kOrder.end(), dtype) - kOrder.begin());
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

class LayoutBuilder {
 public:
  LayoutBuilder(const TensorArchive& archive, const std::string& path)
      : archive_(archive), path_(path) {}

  SafetensorsLayout build() {
    const std::vector<FileTensor>& tensors = archive_.tensors;
    layout_.order.resize(tensors.size());
    std::iota(layout_.order.begin(), layout_.order.end(), size_t{0});
    std::sort(layout_.order.begin(), layout_.order.end(), [&](size_t a, size_t b) {
      const int rank_a = write_rank(tensors[a].dtype);
      const int rank_b = write_rank(tensors[b].dtype);
      return rank_a != rank_b ? rank_a < rank_b : tensors[a].name < tensors[b].name;
    });
    for (const FileTensor& tensor : tensors) layout_.tensor_bytes.push_back(checked_bytes(tensor));
    check_unique();
    build_prologue();
    return std::move(layout_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw FileError(ExitCode::kInternal, path_, "", problem);
  }
  [[noreturn]] void fail_at(const std::string& name, const std::string& problem) const {
    fail(fmt::format("cannot write tensor \"{}\": {}", name, problem));
  }

  int64_t checked_bytes(const FileTensor& tensor) const {
    if (tensor.name == "__metadata__") fail_at(tensor.name, "the name is reserved");
    if (!simdjson::validate_utf8(tensor.name)) fail_at(tensor.name, "the name is not UTF-8");
    int64_t size = file_dtype_bytes(tensor.dtype);
    for (const int64_t extent : tensor.shape) {
      if (extent < 0 || __builtin_mul_overflow(size, extent, &size)) {
        fail_at(tensor.name, "its shape cannot be counted");
      }
    }
    return size;
  }

  void check_unique() const {
    std::vector<std::string_view> names;
    for (const FileTensor& tensor : archive_.tensors) names.push_back(tensor.name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) fail_at(std::string(*twice), "the name is used twice");
  }

  std::string metadata_json() const {
    std::string json;
    for (const auto& [key, value] : archive_.metadata) {
      if (!simdjson::validate_utf8(key) || !simdjson::validate_utf8(value)) {
        fail(fmt::format("cannot write metadata \"{}\": it is not UTF-8", key));
      }
      json += (json.empty() ? "" : ",") + json_string(key) + ":" + json_string(value);
    }
    return json;
  }

  void build_prologue() {
    std::string header = "{";
    if (!archive_.metadata.empty()) header += "\"__metadata__\":{" + metadata_json() + "},";
    for (const size_t index : layout_.order) {
      const FileTensor& tensor = archive_.tensors[index];
      const int64_t end = layout_.data_bytes + layout_.tensor_bytes[index];
      header += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}},",
                            json_string(tensor.name), file_dtype_name(tensor.dtype),
                            fmt::join(tensor.shape, ","), layout_.data_bytes, end);
      layout_.data_bytes = end;
    }
    if (header.back() == ',') header.pop_back();
    header += '}';
    // Readers ask for a length divisible by 8; 64 lets tensors be used in place.
    while ((8 + header.size()) % 64 != 0) header += ' ';
    if (header.size() > static_cast<size_t>(kLimits.safetensors.header_bytes)) {
      fail(fmt::format("its header would have {} bytes; readers take {}", header.size(),
                       kLimits.safetensors.header_bytes));
    }
    const uint64_t length = header.size();
    layout_.prologue.assign(sizeof(length), '\0');
    std::memcpy(layout_.prologue.data(), &length, sizeof(length));
    layout_.prologue += header;
  }

  const TensorArchive& archive_;
  const std::string& path_;
  SafetensorsLayout layout_;
};

}  // namespace

SafetensorsLayout lay_out_safetensors(const TensorArchive& archive, const std::string& path) {
  return LayoutBuilder(archive, path).build();
}

void write_safetensors(const std::string& path, const TensorArchive& archive) {
  const SafetensorsLayout layout = lay_out_safetensors(archive, path);
  for (size_t i = 0; i < archive.tensors.size(); ++i) {
    const FileTensor& tensor = archive.tensors[i];
    if (static_cast<size_t>(layout.tensor_bytes[i]) != tensor.bytes.size()) {
      throw FileError(
          ExitCode::kInternal, path, "",
          fmt::format("cannot write tensor \"{}\": its shape takes {} bytes, but it has {}",
                      tensor.name, layout.tensor_bytes[i], tensor.bytes.size()));
    }
  }
  AtomicFile file(path);
  file.reserve(static_cast<int64_t>(layout.prologue.size()) + layout.data_bytes);
  file.write(std::as_bytes(std::span(layout.prologue)));
  for (const size_t index : layout.order) file.write(archive.tensors[index].bytes);
  file.commit();
}

}  // namespace mrcnn

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "core/error.h"
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

class Writer {
 public:
  Writer(const std::string& path, const TensorArchive& archive) : path_(path) {
    for (const FileTensor& tensor : archive.tensors) order_.push_back(&tensor);
    std::sort(order_.begin(), order_.end(), [](const FileTensor* a, const FileTensor* b) {
      const int rank_a = write_rank(a->dtype);
      const int rank_b = write_rank(b->dtype);
      return rank_a != rank_b ? rank_a < rank_b : a->name < b->name;
    });
    for (const FileTensor* tensor : order_) check(*tensor);
    check_unique();
    build_header(archive);
  }

  void write() const {
    AtomicFile file(path_);
    const uint64_t length = header_.size();
    file.reserve(static_cast<int64_t>(8 + header_.size() + data_bytes_));
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(std::as_bytes(std::span(header_)));
    for (const FileTensor* tensor : order_) file.write(tensor->bytes);
    file.commit();
  }

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& problem) const {
    throw FileError(ExitCode::kInternal, path_, "",
                    fmt::format("cannot write tensor \"{}\": {}", name, problem));
  }

  void check(const FileTensor& tensor) const {
    if (tensor.name == "__metadata__") fail(tensor.name, "the name is reserved");
    if (!simdjson::validate_utf8(tensor.name)) fail(tensor.name, "the name is not UTF-8");
    size_t size = static_cast<size_t>(file_dtype_bytes(tensor.dtype));
    for (const int64_t extent : tensor.shape) {
      if (extent < 0 || __builtin_mul_overflow(size, static_cast<size_t>(extent), &size)) {
        fail(tensor.name, "its shape cannot be counted");
      }
    }
    if (size != tensor.bytes.size()) {
      fail(tensor.name,
           fmt::format("its shape takes {} bytes, but it has {}", size, tensor.bytes.size()));
    }
  }

  void check_unique() const {
    std::vector<std::string_view> names;
    for (const FileTensor* tensor : order_) names.push_back(tensor->name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) fail(std::string(*twice), "the name is used twice");
  }

  void build_header(const TensorArchive& archive) {
    header_ = "{";
    if (!archive.metadata.empty()) {
      header_ += "\"__metadata__\":{";
      for (const auto& [key, value] : archive.metadata) {
        if (!simdjson::validate_utf8(key) || !simdjson::validate_utf8(value)) {
          throw FileError(ExitCode::kInternal, path_, "",
                          fmt::format("cannot write metadata \"{}\": it is not UTF-8", key));
        }
        header_ += json_string(key) + ":" + json_string(value) + ",";
      }
      header_.back() = '}';
      header_ += ',';
    }
    for (const FileTensor* tensor : order_) {
      const size_t end = data_bytes_ + tensor->bytes.size();
      header_ += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}},",
                             json_string(tensor->name), file_dtype_name(tensor->dtype),
                             fmt::join(tensor->shape, ","), data_bytes_, end);
      data_bytes_ = end;
    }
    if (header_.back() == ',') header_.pop_back();
    header_ += '}';
    // Readers ask for a length divisible by 8; 64 lets tensors be used in place.
    while ((8 + header_.size()) % 64 != 0) header_ += ' ';
    if (header_.size() > static_cast<size_t>(kMaxSafetensorsHeaderBytes)) {
      throw FileError(ExitCode::kInternal, path_, "",
                      fmt::format("its header would have {} bytes; readers take {}", header_.size(),
                                  kMaxSafetensorsHeaderBytes));
    }
  }

  const std::string& path_;
  std::vector<const FileTensor*> order_;
  std::string header_;
  size_t data_bytes_ = 0;
};

}  // namespace

void write_safetensors(const std::string& path, const TensorArchive& archive) {
  Writer(path, archive).write();
}

}  // namespace mrcnn

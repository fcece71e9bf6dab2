#include "tests/fuzz/target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/io/safetensors.h"
#include "core/parallel.h"

// One thread: a fuzzer runs one process a core, and what depends on the order of threads cannot be
// repeated.
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  mrcnn::set_num_threads(1);
  return 0;
}

namespace mrcnn::fuzz {
namespace {

bool is_same(const FileTensor& a, const FileTensor& b) {
  return a.name == b.name && a.dtype == b.dtype && a.shape == b.shape &&
         std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
}

std::string safetensors_text(const TensorArchive& archive, const SafetensorsLayout& layout) {
  std::string text = layout.prologue;
  for (const size_t index : layout.order) {
    const std::span<const std::byte> bytes = archive.tensors[index].bytes;
    const void* data = bytes.data();
    if (!bytes.empty()) text.append(static_cast<const char*>(data), bytes.size());
  }
  return text;
}

}  // namespace

void require(bool holds, const char* invariant) {
  if (holds) return;
  std::fprintf(stderr, "broken invariant: %s\n", invariant);
  std::abort();
}

FileBytes as_file(const uint8_t* data, size_t size) {
  const void* bytes = data;
  return {{static_cast<const std::byte*>(bytes), size}, nullptr};
}

FileBytes as_file(std::string_view text) { return {std::as_bytes(std::span(text)), nullptr}; }

std::string_view as_text(const FileBytes& file) {
  const void* data = file.bytes.data();
  return {static_cast<const char*>(data), file.bytes.size()};
}

FileBytes owned_file(std::string_view text) {
  const auto copy = std::make_shared<std::vector<std::byte>>(text.size());
  if (!text.empty()) std::memcpy(copy->data(), text.data(), text.size());
  return {std::span<const std::byte>(*copy), copy};
}

uint64_t sum_of(std::span<const std::byte> bytes) {
  uint64_t sum = 0;
  for (const std::byte byte : bytes) sum += std::to_integer<uint64_t>(byte);
  static volatile uint64_t kept = 0;
  kept = kept + sum;
  return sum;
}

void check_archive(const TensorArchive& archive) {
  for (const FileTensor& tensor : archive.tensors) {
    int64_t size = file_dtype_bytes(tensor.dtype);
    for (const int64_t extent : tensor.shape) {
      require(extent >= 0, "no extent of a shape is negative");
      require(!__builtin_mul_overflow(size, extent, &size), "a shape can be counted");
    }
    require(static_cast<size_t>(size) == tensor.bytes.size(),
            "a tensor has the bytes of its shape");
    sum_of(tensor.bytes);
  }
  // The one name that a safetensors file cannot hold. Our programs write the names of models only.
  if (archive.find("__metadata__") != nullptr) return;
  const SafetensorsLayout layout = lay_out_safetensors(archive, "written");
  const std::string text = safetensors_text(archive, layout);
  const TensorArchive again = parse_safetensors(as_file(text), "written");
  require(again.metadata == archive.metadata, "metadata survive being written");
  require(again.tensors.size() == archive.tensors.size(), "tensors survive being written");
  for (size_t i = 0; i < layout.order.size(); ++i) {
    require(is_same(archive.tensors[layout.order[i]], again.tensors[i]),
            "a tensor survives being written");
  }
  require(safetensors_text(again, lay_out_safetensors(again, "written")) == text,
          "a file that is read and written stays the same");
}

}  // namespace mrcnn::fuzz

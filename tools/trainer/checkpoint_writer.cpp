#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "core/io/input_file.h"
#include "core/io/safetensors.h"
#include "core/io/sha256.h"
#include "tools/conversion.h"
#include "tools/trainer/checkpoint_file.h"
#include "tools/trainer/checkpoint_format.h"

namespace mrcnn {
namespace {

constexpr size_t kDigestDigits = 64;
constexpr size_t kChunkBytes = size_t{1} << 20;

std::string hex(std::array<uint8_t, 32> digest) {
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

class Writer {
 public:
  Writer(const std::string& path, std::map<std::string, std::string> metadata,
         const std::vector<StateTensor>& tensors)
      : path_(path), tensors_(tensors) {
    plan_.metadata = std::move(metadata);
    plan_.metadata[std::string(checkpoint_key::kVersion)] = std::to_string(kCheckpointVersion);
    plan_.metadata[std::string(checkpoint_key::kHeaderSha256)].assign(kDigestDigits, '0');
    for (const StateTensor& tensor : tensors) {
      plan_.tensors.push_back({tensor.name, tensor.dtype, tensor.shape, {}});
    }
    digests_.assign(tensors.size(), std::string(kDigestDigits, '0'));
    layout_.order.resize(tensors.size());
    std::iota(layout_.order.begin(), layout_.order.end(), size_t{0});
    lay_out();
  }

  int64_t write() {
    const int64_t total = static_cast<int64_t>(layout_.prologue.size()) + layout_.data_bytes;
    AtomicFile file(path_);
    file.reserve(total);
    file.write(std::as_bytes(std::span(layout_.prologue)));
    for (const size_t index : layout_.order) write_tensor(index, file);
    lay_out();
    const std::optional<HeaderSeal> seal = header_seal(layout_.prologue);
    layout_.prologue.replace(seal->offset, kDigestDigits, seal->digest);
    file.write_at(0, std::as_bytes(std::span(layout_.prologue)));
    file.commit([this](const std::string& written) {
      try {
        check_written(written);
      } catch (const FileError& error) {
        throw FileError(ExitCode::kResources, path_, "",
                        fmt::format("not saved: {}", error.what()));
      }
    });
    return total;
  }

 private:
  // With the digests known so far; the size of the header does not depend on them.
  void lay_out() {
    std::string list;
    for (const size_t index : layout_.order) list += (list.empty() ? "" : " ") + digests_[index];
    plan_.metadata[std::string(checkpoint_key::kTensorSha256)] = list;
    layout_ = lay_out_safetensors(plan_, path_);
  }

  void write_tensor(size_t index, AtomicFile& file) {
    const StateTensor& tensor = tensors_[index];
    const FileBytes data = tensor.bytes();
    if (data.bytes.size() != static_cast<size_t>(layout_.tensor_bytes[index])) {
      throw FileError(ExitCode::kInternal, path_, "",
                      fmt::format("tensor \"{}\" takes {} bytes, but has {}", tensor.name,
                                  layout_.tensor_bytes[index], data.bytes.size()));
    }
    check_finite(tensor, data.bytes);
    digests_[index] = sha256_hex(data.bytes);
    file.write(data.bytes);
  }

  void check_finite(const StateTensor& tensor, std::span<const std::byte> bytes) const {
    TensorArchive one;
    one.tensors.push_back({tensor.name, tensor.dtype, tensor.shape, bytes});
    const int64_t count = count_non_finite(one);
    if (count == 0) return;
    throw Error(ExitCode::kDiverged,
                fmt::format("{}: not saved: {} values of '{}' are not finite; the training has "
                            "diverged",
                            path_, count, tensor.name));
  }

  // Reads the file once, in pieces.
  void check_written(const std::string& written) const {
    InputFile file(written, ExitCode::kResources);
    std::string chunk(kChunkBytes, '\0');
    const auto read = [&](size_t bytes) {
      const size_t count = std::min(bytes, chunk.size());
      if (file.read(std::as_writable_bytes(std::span(chunk)).first(count)) < count)
        fail_check(written);
      return std::string_view(chunk).substr(0, count);
    };
    for (size_t at = 0; at < layout_.prologue.size();) {
      const std::string_view piece = read(layout_.prologue.size() - at);
      if (std::string_view(layout_.prologue).substr(at, piece.size()) != piece) fail_check(written);
      at += piece.size();
    }
    for (const size_t index : layout_.order) {
      Sha256 sha;
      for (auto left = static_cast<size_t>(layout_.tensor_bytes[index]); left > 0;) {
        const std::string_view piece = read(left);
        sha.update(std::as_bytes(std::span(piece)));
        left -= piece.size();
      }
      if (hex(sha.finish()) != digests_[index]) fail_check(written);
    }
    if (file.read(std::as_writable_bytes(std::span(chunk)).first(1)) != 0) fail_check(written);
  }

  [[noreturn]] static void fail_check(const std::string& written) {
    throw FileError(ExitCode::kResources, written, "",
                    "what was read back is not what was written; suspect the disk or the memory");
  }

  const std::string& path_;
  const std::vector<StateTensor>& tensors_;
  TensorArchive plan_;
  std::vector<std::string> digests_;  // by index of the tensor
  SafetensorsLayout layout_;
};

}  // namespace

int64_t write_checkpoint(const std::string& path, std::map<std::string, std::string> metadata,
                         const std::vector<StateTensor>& tensors) {
  return Writer(path, std::move(metadata), tensors).write();
}

}  // namespace mrcnn

// What tells a training checkpoint from any other safetensors file.
//
// Tensors: the model's under their own names, in file order, so that the file is a weight file too;
// the optimizer's and the running mean's under prefixes. Text metadata: the model's facts as in
// every weight file of ours (models/weight_metadata.h), and the run's under "train/".
//
// Every byte is covered by a SHA-256: the data of each tensor by a digest in the metadata, and what
// precedes the data (length and header) by a digest of itself, taken with its own digits as '0'.
// The latter is the same in every version, so that a file's version can be believed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mrcnn {

inline constexpr int64_t kCheckpointVersion = 1;

namespace checkpoint_key {
inline constexpr std::string_view kPrefix = "train/";
inline constexpr std::string_view kVersion = "train/version";
inline constexpr std::string_view kHeaderSha256 = "train/header_sha256";
inline constexpr std::string_view kTensorSha256 =
    "train/tensor_sha256";  // in the order of the data
}  // namespace checkpoint_key

inline constexpr std::string_view kMomentumPrefix = "optimizer/momentum/";
inline constexpr std::string_view kEmaPrefix = "ema/";

std::string checkpoint_name(int64_t step);  // "checkpoint-000012000.safetensors"
// The step of such a name; nothing for any other.
std::optional<int64_t> checkpoint_step(std::string_view name);

// `prologue` is a file's length and header. The digest that belongs in its place, and the place;
// nothing if it has none.
struct HeaderSeal {
  size_t offset = 0;  // of the 64 digits
  std::string digest;
};
std::optional<HeaderSeal> header_seal(std::string_view prologue);
// Whether the digits there are the right ones.
bool is_sealed(std::string_view prologue);

}  // namespace mrcnn

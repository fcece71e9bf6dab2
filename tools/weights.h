// Reads weights from whatever file they are in: .safetensors, .pth (both containers), .pkl of NumPy
// arrays. The content decides, never the name.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/file.h"
#include "core/io/tensor_file.h"

namespace mrcnn {

enum class WeightFormat { kSafetensors, kZipCheckpoint, kLegacyCheckpoint, kPickle };
std::string_view weight_format_name(WeightFormat format);

struct ReadOptions {
  std::string key = {};       // where in a checkpoint the state dict lies; "": search
  bool whole_object = false;  // all tensors of a checkpoint, optimizer state too, under their paths
  bool check_crc = true;      // of .pth archives
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

// Tells the format of a file, or throws FileError that says what the file is instead (a web page,
// a Git LFS pointer, ...). `path` is for messages.
WeightFormat detect_weight_format(const FileBytes& file, const std::string& path);

// The tensors of a file under their names, without wrappers' prefixes: where every name begins
// with "module.", "model.", "d2_model." or "_orig_mod.", that is taken off, repeatedly. A
// checkpoint of a training run gives its weights (trainer/checkpoint_file.h, checkpoint_weights).
// Throws FileError with ExitCode::kModel.
TensorArchive read_weights(const std::string& path, const ReadOptions& options = {});
// The same for a file already in memory.
TensorArchive parse_weights(const FileBytes& file, const std::string& path,
                            const ReadOptions& options = {});

struct PickledName {
  uint64_t offset = 0;  // of the opcode, in the pickle that holds it
  std::string name;     // "torch._utils._rebuild_tensor_v2"
  std::string meaning;  // "known", "not interpreted" or "DENIED: runs code"
};
// The names that a checkpoint's pickle refers to, in order. Empty for safetensors.
std::vector<PickledName> list_pickled_names(const std::string& path);
std::vector<PickledName> list_pickled_names(const FileBytes& file, const std::string& path);

// Published files carry the start of their SHA-256 in their name ("resnet50-19c8e357.pth").
// Throws FileError if such a name disagrees with `sha256`; a run of digits alone may be a date, so
// that is only a warning. The step in the name of a training checkpoint is no hash.
void check_name_hash(const std::string& path, const std::string& sha256,
                     const std::function<void(const std::string&)>& warn);

}  // namespace mrcnn

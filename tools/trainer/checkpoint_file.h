// One checkpoint as a file: written without a second copy of its tensors, read back before it gets
// its name, and verified to the last byte before it is used. checkpoint_format.h is its layout.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/tensor_file.h"
#include "core/tensor.h"
#include "layers/parameter.h"

namespace mrcnn {

// A tensor to be written. `bytes` is called when its turn has come and its result let go
// afterwards.
struct StateTensor {
  std::string name;
  FileDType dtype = FileDType::kF32;
  std::vector<int64_t> shape;
  std::function<FileBytes()> bytes;
};

// Of a tensor on any device, as it is. The bytes are taken when the checkpoint is written.
StateTensor state_tensor(std::string name, const Tensor& tensor);
// Of a parameter's current value, in file order. The parameter must outlive the writing.
StateTensor state_tensor(std::string name, const Parameter& parameter);

// Written by a version of this program that is newer than this one.
class CheckpointVersionError : public FileError {
 public:
  using FileError::FileError;
};

// Returns the size of the file. Throws FileError: ExitCode::kResources when the disk does not take
// it or gives back something else; and Error with ExitCode::kDiverged when a tensor holds values
// that are not finite. The old file of that name, if any, then stays as it was.
int64_t write_checkpoint(const std::string& path, std::map<std::string, std::string> metadata,
                         const std::vector<StateTensor>& tensors);

// All tensors and metadata. Throws FileError (ExitCode::kModel) that says what is damaged.
TensorArchive read_checkpoint(const std::string& path);
// The same for a file already in memory; `path` is for messages.
TensorArchive parse_checkpoint(const FileBytes& file, const std::string& path);

// Whether the file begins with an undamaged header of a checkpoint. Reads no more than that.
bool has_checkpoint_header(const std::string& path);

// Whether an archive's metadata is that of a checkpoint.
bool is_checkpoint(const TensorArchive& archive);
// The weights of a checkpoint as an ordinary weight file would hold them: without the optimizer's
// tensors and the run's metadata, and with the running mean in the place of the weights where there
// is one, as evaluations during training use it. Verifies the header and the tensors that it
// returns; throws FileError (ExitCode::kModel).
TensorArchive checkpoint_weights(const FileBytes& file, const std::string& path);

// The tensors whose names begin with `prefix`, named by the rest. "": those with no '/'.
TensorArchive tensors_under(const TensorArchive& archive, std::string_view prefix);

}  // namespace mrcnn

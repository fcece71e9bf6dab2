// safetensors: u64 length, a JSON header of that length, then the bytes of all tensors without
// gaps. Source: huggingface/safetensors, README and reference reader of 2026-05.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "core/io/tensor_file.h"

namespace mrcnn {

// Reads a file. Tensors point into the one buffer the file was read to. Everything the format
// demands is checked, and duplicate names are refused, which readers otherwise treat differently.
// Throws FileError with ExitCode::kModel.
TensorArchive read_safetensors(const std::string& path);
// The same for a file already in memory; `path` is for messages.
TensorArchive parse_safetensors(const FileBytes& file, const std::string& path);

// How a file of these tensors looks, before their bytes exist: names, types and shapes are enough.
struct SafetensorsLayout {
  std::string prologue;               // the bytes in front of the data: length and header
  std::vector<size_t> order;          // of the data: indices of the archive's tensors
  std::vector<int64_t> tensor_bytes;  // by index of the archive's tensors
  int64_t data_bytes = 0;             // of all tensors; the file has these and the prologue
};

// `path` is for messages. The length of the prologue depends on the lengths of the metadata's
// values only, so that digests of the data can be filled in last. Throws as write_safetensors does.
SafetensorsLayout lay_out_safetensors(const TensorArchive& archive, const std::string& path);

// Writes a file that is complete or absent. Tensors are ordered by falling alignment, then by name;
// the data starts at a multiple of 64 bytes. Throws FileError, with ExitCode::kInternal for an
// archive that cannot be written (duplicate or reserved name, bytes that do not match the shape).
void write_safetensors(const std::string& path, const TensorArchive& archive);

}  // namespace mrcnn

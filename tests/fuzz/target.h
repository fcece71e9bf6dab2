// What every fuzz target is made of. A target is one file with LLVMFuzzerTestOneInput: it feeds the
// input to a reader as a program would, and demands more than "no crash": errors are of the
// documented kind, what was read survives being written and read again, limits are respected.
// The same file is a libFuzzer program (preset `fuzz`) and, with replay.cpp, a test over stored
// inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/tensor_file.h"

extern "C" {
int LLVMFuzzerInitialize(int* argc, char*** argv);
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
}

namespace mrcnn::fuzz {

// Ends the program, with the words on stderr, when an invariant does not hold.
void require(bool holds, const char* invariant);

// The input as a file in memory, without a copy, so that a read past its end is seen.
FileBytes as_file(const uint8_t* data, size_t size);
FileBytes as_file(std::string_view text);  // as long as the text lives
std::string_view as_text(const FileBytes& file);

// A copy that owns its bytes.
FileBytes owned_file(std::string_view text);

// Whether `read` returned. An Error of this exit code is a refusal; anything else it throws is a
// fault.
template <typename Read>
bool accepts(ExitCode refusal, const Read& read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    if (error.exit_code() != refusal) throw;
    require(error.what()[0] != '\0', "a refusal says why");
    return false;
  }
}

// Touches every byte, so that one that was never written or lies outside is seen.
uint64_t sum_of(std::span<const std::byte> bytes);

// What holds for any tensors that a reader gives: shapes fit bytes, and a safetensors file of them,
// made in memory, reads back as the same tensors and metadata.
void check_archive(const TensorArchive& archive);

}  // namespace mrcnn::fuzz

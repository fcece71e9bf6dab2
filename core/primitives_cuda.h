// What primitives.h queues on a GPU. Nothing to do is allowed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "core/stream.h"

namespace mrcnn::cuda {

// output [count], elements of 1, 2, 4 or 8 bytes, each set to the low bytes of `bits`
void fill(int64_t count, int64_t element_bytes, uint64_t bits, std::byte* output, Stream stream);

// sum [count] += addend [count], which may be the same
void accumulate(int64_t count, const float* addend, float* sum, Stream stream);
void accumulate(int64_t count, const BFloat16* addend, BFloat16* sum, Stream stream);

// input, output [count]
void cast(int64_t count, DType input_dtype, const std::byte* input, DType output_dtype,
          std::byte* output, Stream stream);

}  // namespace mrcnn::cuda

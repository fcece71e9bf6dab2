// The operations that core itself needs: fill, copy, cast, accumulate, and moves between devices.
// Threaded on the CPU. On a GPU all but the moves to the CPU are queued and do not wait, can be
// captured into a graph, and give the bits that the CPU gives. Deterministic.
// cast and copy_to are recorded for gradients. Functions that end in _ change a tensor in place and
// refuse one that gradients are recorded for (core/autograd/grad_mode.h turns recording off).
#pragma once

#include <span>
#include <vector>

#include "core/tensor.h"

namespace mrcnn {

// Sets every element. An integer or bool tensor takes only a value it can hold exactly
// (UsageError); f32 and bf16 round as cast does.
void fill_(const Tensor& tensor, double value);

// destination = source. Same shape, type and device; they do not overlap, or are the same tensor.
void copy_(const Tensor& destination, const Tensor& source);

// sum += addend, f32 or f64; on a GPU f32 or bf16. Same shape and type; they do not overlap, or are
// the same tensor.
void accumulate_(const Tensor& sum, const Tensor& addend);

// A new tensor of another type (a copy if it is the same type). Rules:
//   to f64, f32, bf16   nearest, ties to even; overflow gives inf, NaN stays NaN. bf16 is reached
//                       through f32, so f64 and wide integers are rounded twice.
//   float to integer    towards zero; beyond the range the nearest limit, NaN gives 0
//   integer to integer  modulo 2^bits
//   to bool             value != 0 (NaN gives true); from bool 0 or 1
Tensor cast(const Tensor& tensor, DType dtype);

// The tensor on `device`: itself if it is there already, else a copy. To the CPU it waits.
Tensor copy_to(const Tensor& tensor, Device device);

// Copies of all tensors on the CPU, with one wait. They lie on one device.
std::vector<Tensor> download(std::span<const Tensor> tensors);

}  // namespace mrcnn

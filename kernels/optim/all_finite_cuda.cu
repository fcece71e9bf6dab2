#include <cmath>

#include "kernels/optim/all_finite.h"
#include "kernels/optim/tensor_table.cuh"

namespace mrcnn::cuda {
namespace {

__global__ void all_finite_kernel(TensorTable<ReadItem<float>> table, int32_t* __restrict__ flag) {
  const TablePiece piece = table_piece(table);
  const float* const values = table.items[piece.item].values;
  bool finite = true;
  for (int64_t i = piece.begin + threadIdx.x; i < piece.end; i += kTableBlock) {
    finite = finite && std::isfinite(values[i]);
  }
  if (!finite) atomicAnd(flag, 0);
}

}  // namespace

void all_finite(std::span<const ReadItem<float>> items, int32_t* flag, Stream stream) {
  for_each_table(items, [&](const TensorTable<ReadItem<float>>& table, unsigned blocks) {
    launch("all_finite", all_finite_kernel,
           {.grid = dim3(blocks), .block = dim3(kTableBlock), .stream = stream}, table, flag);
  });
}

}  // namespace mrcnn::cuda

#include "kernels/optim/ema_update.h"
#include "kernels/optim/tensor_table.cuh"

namespace mrcnn::cuda {
namespace {

__global__ void ema_update_kernel(TensorTable<EmaItem<float>> table, float decay, float rest) {
  const TablePiece piece = table_piece(table);
  const EmaItem<float> item = table.items[piece.item];
  for (int64_t i = piece.begin + threadIdx.x; i < piece.end; i += kTableBlock) {
    item.average[i] = decay * item.average[i] + rest * item.value[i];
  }
}

}  // namespace

void ema_update(std::span<const EmaItem<float>> items, float decay, float rest, Stream stream) {
  for_each_table(items, [&](const TensorTable<EmaItem<float>>& table, unsigned blocks) {
    launch("ema_update", ema_update_kernel,
           {.grid = dim3(blocks), .block = dim3(kTableBlock), .stream = stream}, table, decay,
           rest);
  });
}

}  // namespace mrcnn::cuda

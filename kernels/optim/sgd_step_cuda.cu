#include "kernels/optim/sgd_step.h"
#include "kernels/optim/tensor_table.cuh"

namespace mrcnn::cuda {
namespace {

__global__ void sgd_step_kernel(TensorTable<SgdItem<float>> table, SgdFactors<float> factors,
                                const float* __restrict__ device_scale,
                                const int32_t* __restrict__ finite) {
  if (finite != nullptr && *finite == 0) return;
  if (device_scale != nullptr) factors.scale *= *device_scale;
  const TablePiece piece = table_piece(table);
  const SgdItem<float> item = table.items[piece.item];
  const bool reads_momentum = item.momentum != nullptr && !factors.first_step;
  for (int64_t i = piece.begin + threadIdx.x; i < piece.end; i += kTableBlock) {
    const float momentum = reads_momentum ? item.momentum[i] : 0.0F;
    const SgdElement<float> next = sgd_element(factors, item.lr, item.weight_decay,
                                               item.gradient[i], {item.parameter[i], momentum});
    item.parameter[i] = next.parameter;
    if (item.momentum != nullptr) item.momentum[i] = next.momentum;
  }
}

}  // namespace

void sgd_step(std::span<const SgdItem<float>> items, const SgdFactors<float>& factors,
              const float* device_scale, const int32_t* finite, Stream stream) {
  for_each_table(items, [&](const TensorTable<SgdItem<float>>& table, unsigned blocks) {
    launch("sgd_step", sgd_step_kernel,
           {.grid = dim3(blocks), .block = dim3(kTableBlock), .stream = stream}, table, factors,
           device_scale, finite);
  });
}

}  // namespace mrcnn::cuda

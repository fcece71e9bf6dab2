#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/conv/mask_predict.h"
#include "kernels/elementwise/exp_f32.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM: full occupancy
constexpr int kWarps = kBlock / kWarp;
// Hidden vectors that a warp reads at a time: four loads of a lane are under way at once, and a
// weight from shared memory serves four products.
constexpr int kVectors = 4;
// Hidden vectors of a block: enough to pay for loading the label's row of weights, few enough that
// 100 detections of 14x14x4 vectors make several blocks for every SM.
constexpr int kVectorsPerBlock = 4 * kWarps * kVectors;

// Element of the detection's map where the output of hidden vector (y, x, ky, kx) goes.
__device__ __forceinline__ int shuffled(const MaskPredictGeometry& g, int vector) {
  const auto taps = static_cast<int>(g.taps());
  const auto width = static_cast<int>(g.width);
  const auto kernel_w = static_cast<int>(g.kernel_w);
  const int pixel = vector / taps, tap = vector % taps;
  const int row = pixel / width * static_cast<int>(g.kernel_h) + tap / kernel_w;
  return row * width * kernel_w + pixel % width * kernel_w + tap % kernel_w;
}

// The sums of the lanes' values, in every lane.
__device__ __forceinline__ float warp_sum(float value) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, distance);
  }
  return value;
}

// Dynamic shared memory: the label's row of weights [kWidth, H / kWidth], so that neighbouring
// lanes, which take neighbouring packs, read neighbouring words.
template <int kWidth, typename T, typename Weight>
__global__ void mask_predict_kernel(MaskPredictGeometry g, int vectors, int blocks_per_detection,
                                    const T* __restrict__ hidden,
                                    const int64_t* __restrict__ labels,
                                    const Weight* __restrict__ logit_weight,
                                    const float* __restrict__ logit_bias,
                                    float* __restrict__ output) {
  float* const weights = dynamic_shared_memory<float>();
  const auto warp = static_cast<int>(threadIdx.x / kWarp);
  const auto lane = static_cast<int>(threadIdx.x % kWarp);
  const int64_t detection = blockIdx.x / blocks_per_detection;
  int64_t label = labels[detection];
  label = label < 0 ? 0 : label < g.classes ? label : g.classes - 1;
  const auto packs = static_cast<int>(g.hidden / kWidth);
  for (int i = static_cast<int>(threadIdx.x); i < packs * kWidth; i += kBlock) {
    weights[i % kWidth * packs + i / kWidth] = to_float(logit_weight[label * g.hidden + i]);
  }
  const float bias = logit_bias != nullptr ? logit_bias[label] : 0.0F;
  __syncthreads();

  hidden += detection * vectors * g.hidden;
  output += detection * vectors;
  const int begin = static_cast<int>(blockIdx.x % blocks_per_detection) * kVectorsPerBlock;
  const int end = vectors - begin < kVectorsPerBlock ? vectors : begin + kVectorsPerBlock;
  for (int first = begin + warp * kVectors; first < end; first += kWarps * kVectors) {
    float sums[kVectors] = {};
    for (int pack = lane; pack < packs; pack += kWarp) {
      Pack<kWidth> values[kVectors];
#pragma unroll
      for (int v = 0; v < kVectors; ++v) {
        const int64_t vector = first + v < end ? first + v : end - 1;  // the last one again
        values[v] = load_pack<kWidth>(hidden + vector * g.hidden + pack * kWidth);
      }
#pragma unroll
      for (int k = 0; k < kWidth; ++k) {
        const float weight = weights[k * packs + pack];
#pragma unroll
        for (int v = 0; v < kVectors; ++v) sums[v] = fmaf(values[v].values[k], weight, sums[v]);
      }
    }
    float logit = 0;  // of vector first + lane
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      const float sum = warp_sum(sums[v]);
      if (lane == v) logit = sum + bias;
    }
    if (lane < kVectors && first + lane < end) {
      output[shuffled(g, first + lane)] =
          g.output == MaskOutput::kLogits ? logit : 1.0F / (1.0F + exp_f32(-logit));
    }
  }
}

}  // namespace

template <typename T, typename Weight>
void mask_predict(const MaskPredictGeometry& g, const T* hidden, const int64_t* labels,
                  const Weight* logit_weight, const float* logit_bias, float* output,
                  Stream stream) {
  if (g.pixels() == 0) return;
  const auto vectors = static_cast<int>(g.height * g.width * g.taps());
  const int blocks = (vectors + kVectorsPerBlock - 1) / kVectorsPerBlock;
  const size_t shared_bytes = static_cast<size_t>(g.hidden) * sizeof(float);
  with_pack_width<T>(g.hidden, [&](auto width) {
    const auto kernel = mask_predict_kernel<width(), T, Weight>;
    allow_dynamic_shared("mask_predict", kernel, shared_bytes);
    launch("mask_predict", kernel,
           {.grid = blocks_for(g.detections * blocks, 1),
            .block = dim3(kBlock),
            .shared_bytes = shared_bytes,
            .stream = stream},
           g, vectors, blocks, hidden, labels, logit_weight, logit_bias, output);
  });
}

template void mask_predict(const MaskPredictGeometry&, const float*, const int64_t*, const float*,
                           const float*, float*, Stream);
template void mask_predict(const MaskPredictGeometry&, const BFloat16*, const int64_t*,
                           const BFloat16*, const float*, float*, Stream);
template void mask_predict(const MaskPredictGeometry&, const BFloat16*, const int64_t*,
                           const float*, const float*, float*, Stream);

}  // namespace mrcnn::cuda

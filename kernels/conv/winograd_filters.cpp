#include "kernels/conv/winograd_filters.h"

#include <algorithm>
#include <array>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/conv/winograd_kernels.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kTaps = 9;
// Channels that go through the transforms together.
constexpr int64_t kLanes = kWinogradChannelStep;

// The filter transform: 6x3 values G with U = G g G^T. Row i is (1, p, p^2) / N(p), where N is what
// the input transform leaves out: the product of the point's distances to the other finite points.
using FilterMatrix = std::array<std::array<double, 3>, 6>;

FilterMatrix filter_matrix() {
  const std::array<double, 5> at{0, winograd_points::a, -winograd_points::a, winograd_points::b,
                                 -winograd_points::b};
  FilterMatrix matrix{};
  for (size_t i = 0; i < at.size(); ++i) {
    double norm = 1;
    for (size_t j = 0; j < at.size(); ++j) {
      if (j != i) norm *= at[i] - at[j];
    }
    matrix[i] = {1 / norm, at[i] / norm, at[i] * at[i] / norm};
  }
  matrix[5] = {0, 0, 1};
  return matrix;
}

// kLanes filters side by side: tap t of lane l lies at taps[t * tap_stride + l], position p goes to
// out[p * position_stride + l].
MRCNN_TARGET_CLONES
void transform_lanes(const FilterMatrix& g, const float* taps, int64_t tap_stride, float* out,
                     int64_t position_stride) {
  double half[6][3][kLanes];
  for (size_t i = 0; i < 6; ++i) {
    for (size_t x = 0; x < 3; ++x) {
      const float* const top = taps + static_cast<int64_t>(x) * tap_stride;
      for (int64_t l = 0; l < kLanes; ++l) {
        half[i][x][l] = g[i][0] * static_cast<double>(top[l]) +
                        g[i][1] * static_cast<double>(top[3 * tap_stride + l]) +
                        g[i][2] * static_cast<double>(top[6 * tap_stride + l]);
      }
    }
  }
  for (size_t i = 0; i < 6; ++i) {
    for (size_t j = 0; j < 6; ++j) {
      for (int64_t l = 0; l < kLanes; ++l) {
        const double value =
            half[i][0][l] * g[j][0] + half[i][1][l] * g[j][1] + half[i][2][l] * g[j][2];
        out[l] = static_cast<float>(value);
      }
      out += position_stride;
    }
  }
}

// The adjoint: 36 gradients of positions to 9 of taps.
MRCNN_TARGET_CLONES
void gather_lanes(const FilterMatrix& g, const float* positions, int64_t position_stride,
                  float* taps, int64_t tap_stride) {
  double half[3][6][kLanes] = {};
  for (size_t i = 0; i < 6; ++i) {
    for (size_t j = 0; j < 6; ++j) {
      for (size_t y = 0; y < 3; ++y) {
        for (int64_t l = 0; l < kLanes; ++l) {
          half[y][j][l] += g[i][y] * static_cast<double>(positions[l]);
        }
      }
      positions += position_stride;
    }
  }
  for (size_t y = 0; y < 3; ++y) {
    for (size_t x = 0; x < 3; ++x) {
      double sums[kLanes] = {};
      for (size_t j = 0; j < 6; ++j) {
        for (int64_t l = 0; l < kLanes; ++l) sums[l] += half[y][j][l] * g[j][x];
      }
      for (int64_t l = 0; l < kLanes; ++l) taps[l] = static_cast<float>(sums[l]);
      taps += tap_stride;
    }
  }
}

struct Packed {
  float* values;
  int64_t depth;
  int64_t columns;
  int64_t position_stride;

  float* at(int64_t panel, int64_t k) const { return values + (panel * depth + k) * columns; }
};

// The outputs of a panel lie far apart in the weight: kLanes input channels of them are gathered
// first, so that a cache line is read once.
void pack_forward(const FilterMatrix& g, const float* weight, int64_t outputs, int64_t panel,
                  int64_t first_channel, const Packed& packed) {
  const int64_t channels = packed.depth;
  for (int64_t column = 0; column < packed.columns; column += kLanes) {
    const int64_t first = panel * packed.columns + column;
    const int64_t count = std::min(kLanes, outputs - first);
    if (count <= 0) return;             // the zeros behind the last output
    float taps[kLanes][kTaps][kLanes];  // [channel][tap][output]
    for (int64_t o = 0; o < count; ++o) {
      for (int64_t t = 0; t < kTaps; ++t) {
        const float* const row = weight + ((first + o) * kTaps + t) * channels + first_channel;
        for (int64_t c = 0; c < kLanes; ++c) taps[c][t][o] = row[c];
      }
    }
    for (int64_t c = 0; c < kLanes; ++c) {
      transform_lanes(g, taps[c][0], kLanes, packed.at(panel, first_channel + c) + column,
                      packed.position_stride);
    }
  }
}

// Input channels become the outputs of the product, and lie side by side already.
void pack_data_gradient(const FilterMatrix& g, const float* weight, int64_t channels, int64_t panel,
                        int64_t output, const Packed& packed) {
  for (int64_t column = 0; column < packed.columns; column += kLanes) {
    const int64_t first = panel * packed.columns + column;
    if (first >= channels) return;
    // The last tap first: a filter turned by half a turn.
    const float* const last = weight + (output * kTaps + kTaps - 1) * channels + first;
    transform_lanes(g, last, -channels, packed.at(panel, output) + column, packed.position_stride);
  }
}

}  // namespace

Tensor pack_winograd_filters(const Tensor& weight, int64_t columns, WinogradDirection direction) {
  const bool forward = direction == WinogradDirection::kForward;
  const int64_t outputs = weight.size(0), channels = weight.size(3);
  const int64_t across = forward ? outputs : channels;
  const int64_t depth = forward ? channels : outputs;
  const int64_t panels = (across + columns - 1) / columns;
  const Shape shape{kWinogradPositions, panels * depth * columns + kWinogradPadding};
  Tensor result = panels * columns == across ? Tensor::empty(shape) : Tensor::zeros(shape);
  const Packed packed{result.data<float>(), depth, columns, shape[1]};
  const float* const taps = weight.data<const float>();
  const FilterMatrix g = filter_matrix();
  const int64_t blocks = depth / kLanes;
  parallel_for(0, panels * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t panel = i / blocks, first = i % blocks * kLanes;
      if (forward) {
        pack_forward(g, taps, outputs, panel, first, packed);
      } else {
        for (int64_t k = first; k < first + kLanes; ++k) {
          pack_data_gradient(g, taps, channels, panel, k, packed);
        }
      }
    }
  });
  return result;
}

void winograd_filter_gradient(const Tensor& grad_products, int64_t row_stride,
                              const Tensor& grad_weight) {
  const int64_t outputs = grad_weight.size(0), channels = grad_weight.size(3);
  const int64_t position_stride = grad_products.size(1);
  const float* const positions = grad_products.data<const float>();
  float* const taps = grad_weight.data<float>();
  const FilterMatrix g = filter_matrix();
  parallel_for(0, outputs, 1, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      for (int64_t c = 0; c < channels; c += kLanes) {
        gather_lanes(g, positions + o * row_stride + c, position_stride,
                     taps + o * kTaps * channels + c, channels);
      }
    }
  });
}

}  // namespace mrcnn::cpu

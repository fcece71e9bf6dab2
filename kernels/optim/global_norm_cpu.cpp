#include <array>
#include <cmath>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/optim/global_norm.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kPiece = 16384;  // elements: some microseconds
// Sums that run side by side, so that they vectorise; the same number on every machine.
constexpr int64_t kLanes = 16;

template <typename T>
inline double square_loop(const T* values, int64_t count) {
  double lanes[kLanes] = {};
  const int64_t whole = count / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const auto value = static_cast<double>(values[i + lane]);
      lanes[lane] += value * value;
    }
  }
  for (int64_t i = whole; i < count; ++i) {
    const auto value = static_cast<double>(values[i]);
    lanes[i - whole] += value * value;
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

MRCNN_TARGET_CLONES
double sum_of_squares(const float* values, int64_t count) { return square_loop(values, count); }

double sum_of_squares(const double* values, int64_t count) { return square_loop(values, count); }

template <typename T>
double norm_of(std::span<const ReadItem<T>> items) {
  const std::vector<Piece> pieces = pieces_of(items, kPiece);
  std::vector<double> sums(pieces.size());
  parallel_for(0, static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const Piece& piece = pieces[i];
      sums[i] = sum_of_squares(items[piece.tensor].values + piece.begin, piece.end - piece.begin);
    }
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  return std::sqrt(sum);
}

}  // namespace

double global_norm(std::span<const ReadItem<float>> items) { return norm_of(items); }

double global_norm(std::span<const ReadItem<double>> items) { return norm_of(items); }

}  // namespace mrcnn::cpu

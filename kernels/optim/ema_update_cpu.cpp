#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/optim/ema_update.h"
#include "kernels/optim/tensor_list.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kPiece = 16384;  // elements: some microseconds

MRCNN_TARGET_CLONES
void update_piece(int64_t count, const float* value, float decay, float rest, float* average) {
  for (int64_t i = 0; i < count; ++i) average[i] = decay * average[i] + rest * value[i];
}

void update_piece(int64_t count, const double* value, double decay, double rest, double* average) {
  for (int64_t i = 0; i < count; ++i) average[i] = decay * average[i] + rest * value[i];
}

template <typename T>
void update_items(std::span<const EmaItem<T>> items, T decay, T rest) {
  const std::vector<Piece> pieces = pieces_of(items, kPiece);
  parallel_for(0, static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces[static_cast<size_t>(i)];
      const EmaItem<T>& item = items[piece.tensor];
      update_piece(piece.end - piece.begin, item.value + piece.begin, decay, rest,
                   item.average + piece.begin);
    }
  });
}

}  // namespace

void ema_update(std::span<const EmaItem<float>> items, float decay, float rest) {
  update_items(items, decay, rest);
}

void ema_update(std::span<const EmaItem<double>> items, double decay, double rest) {
  update_items(items, decay, rest);
}

}  // namespace mrcnn::cpu

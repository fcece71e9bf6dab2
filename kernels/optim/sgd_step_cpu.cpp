#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/optim/sgd_step.h"
#include "kernels/optim/tensor_list.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kPiece = 16384;  // elements: some microseconds

template <typename T>
inline void step_loop(const SgdItem<T>& item, const SgdFactors<T>& f, int64_t begin, int64_t end) {
  T* const parameter = item.parameter;
  T* const momentum = item.momentum;
  const T* const gradient = item.gradient;
  const T lr = item.lr, weight_decay = item.weight_decay;
  if (momentum == nullptr || f.first_step) {
    for (int64_t i = begin; i < end; ++i) {
      const SgdElement<T> next =
          sgd_element(f, lr, weight_decay, gradient[i], {parameter[i], T(0)});
      parameter[i] = next.parameter;
      if (momentum != nullptr) momentum[i] = next.momentum;
    }
    return;
  }
  for (int64_t i = begin; i < end; ++i) {
    const SgdElement<T> next =
        sgd_element(f, lr, weight_decay, gradient[i], {parameter[i], momentum[i]});
    parameter[i] = next.parameter;
    momentum[i] = next.momentum;
  }
}

MRCNN_TARGET_CLONES
void step_piece(const SgdItem<float>& item, const SgdFactors<float>& factors, int64_t begin,
                int64_t end) {
  step_loop(item, factors, begin, end);
}

void step_piece(const SgdItem<double>& item, const SgdFactors<double>& factors, int64_t begin,
                int64_t end) {
  step_loop(item, factors, begin, end);
}

template <typename T>
void step_items(std::span<const SgdItem<T>> items, const SgdFactors<T>& factors) {
  const std::vector<Piece> pieces = pieces_of(items, kPiece);
  parallel_for(0, static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces[static_cast<size_t>(i)];
      step_piece(items[piece.tensor], factors, piece.begin, piece.end);
    }
  });
}

}  // namespace

void sgd_step(std::span<const SgdItem<float>> items, const SgdFactors<float>& factors) {
  step_items(items, factors);
}

void sgd_step(std::span<const SgdItem<double>> items, const SgdFactors<double>& factors) {
  step_items(items, factors);
}

}  // namespace mrcnn::cpu

#include "core/parallel.h"
#include "kernels/norm/fold_batch_norm.h"

namespace mrcnn::cpu {

template <typename T>
void fold_batch_norm(int64_t channels, int64_t row_length, const T* conv_weight, const T* conv_bias,
                     const ChannelAffine& affine, T* weight, T* bias) {
  parallel_for(0, channels, 64, [&](int64_t begin, int64_t end) {
    for (int64_t channel = begin; channel < end; ++channel) {
      const double scale = affine.scale[static_cast<size_t>(channel)];
      const T* row = conv_weight + channel * row_length;
      T* folded_row = weight + channel * row_length;
      for (int64_t i = 0; i < row_length; ++i) {
        folded_row[i] = static_cast<T>(static_cast<double>(row[i]) * scale);
      }
      const double shift = affine.shift[static_cast<size_t>(channel)];
      bias[channel] = static_cast<T>(
          conv_bias == nullptr ? shift : static_cast<double>(conv_bias[channel]) * scale + shift);
    }
  });
}

template void fold_batch_norm(int64_t, int64_t, const float*, const float*, const ChannelAffine&,
                              float*, float*);
template void fold_batch_norm(int64_t, int64_t, const double*, const double*, const ChannelAffine&,
                              double*, double*);

}  // namespace mrcnn::cpu

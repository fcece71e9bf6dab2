// What the optimizer's ops share: a list of tensors of many sizes as pieces of about one size,
// which threads and thread blocks take one at a time. The pieces depend on the sizes only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/autograd/node.h"
#include "core/error.h"
#include "core/tensor.h"

namespace mrcnn {

struct Piece {
  size_t tensor = 0;  // index in the list
  int64_t begin = 0, end = 0;
};

// `items` have a member `count`.
template <typename Item>
std::vector<Piece> pieces_of(std::span<const Item> items, int64_t piece_size) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < items.size(); ++i) {
    for (int64_t begin = 0; begin < items[i].count; begin += piece_size) {
      pieces.push_back({i, begin, std::min(items[i].count, begin + piece_size)});
    }
  }
  return pieces;
}

// The elements of a tensor, which are only read.
template <typename T>
struct ReadItem {
  const T* values = nullptr;
  int64_t count = 0;
};

// Of the defined tensors. They have one type.
template <typename T>
std::vector<ReadItem<T>> read_items(std::span<const Tensor> tensors) {
  std::vector<ReadItem<T>> items;
  for (const Tensor& tensor : tensors) {
    if (tensor.defined()) items.push_back({tensor.pointer<const T>(), tensor.numel()});
  }
  return items;
}

// The first defined tensor, or an undefined one. Throws unless all defined ones share its type and
// device.
inline Tensor check_one_kind(const char* op, std::span<const Tensor> tensors) {
  Tensor first;
  for (const Tensor& tensor : tensors) {
    if (!tensor.defined()) continue;
    if (!first.defined()) first = tensor;
    const std::string both = first.describe() + ", " + tensor.describe();
    if (tensor.dtype() != first.dtype()) {
      throw DTypeError(std::string("[") + op + "] tensors differ in type: " + both);
    }
    if (tensor.device() != first.device()) {
      throw DeviceError(std::string("[") + op + "] tensors are on different devices: " + both);
    }
  }
  return first;
}

// Parameters may be changed in place, results of recorded operations may not.
inline void check_changeable(const char* op, const Tensor& tensor) {
  if (tensor.requires_grad() && !tensor.grad_node()->leaf) {
    throw UsageError(std::string("[") + op +
                     "] would change the result of a recorded operation: " + tensor.describe());
  }
}

}  // namespace mrcnn

// A contiguous array of numbers with a shape, an element type and a device.
// Tensor is a handle: copies share the storage. Feature maps are [N, H, W, C] (channels last),
// convolution weights [O, KH, KW, I]. Views are contiguous too: reshape, and ranges of axis 0.
// A tensor that takes part in gradients also carries its entry on the tape (core/autograd).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/device.h"
#include "core/dtype.h"
#include "core/shape.h"

namespace mrcnn {

struct GradNode;

class Tensor {
 public:
  Tensor() = default;  // undefined: no storage, e.g. an absent bias

  // Uninitialised memory.
  static Tensor empty(const Shape& shape, DType dtype = DType::kF32, Device device = {});
  static Tensor zeros(const Shape& shape, DType dtype = DType::kF32, Device device = {});
  // Memory owned by somebody else, kept alive by `owner` (a mapped file). Must be 64-byte aligned
  // or at least aligned for the element type, and is not written to.
  static Tensor borrow(std::shared_ptr<const std::byte> owner, const Shape& shape, DType dtype);
  template <typename T>
  static Tensor from(std::span<const T> values, const Shape& shape);
  template <typename T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }

  bool defined() const { return storage_ != nullptr; }
  bool is_shared() const { return storage_.use_count() > 1; }  // other tensors hold the storage too
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t size(int axis) const { return shape_[axis]; }
  int64_t numel() const { return shape_.numel(); }
  int64_t bytes() const { return numel() * dtype_bytes(dtype_); }
  DType dtype() const { return dtype_; }
  Device device() const { return device_; }

  // The elements; T must be the element type (const or not), the tensor on the CPU.
  // Throws DTypeError or DeviceError otherwise.
  template <typename T>
  T* data() const {
    check_access(dtype_of<T>());
    return static_cast<T*>(static_cast<void*>(storage_.get()));
  }
  template <typename T>
  std::span<T> span() const {
    return {data<T>(), static_cast<size_t>(numel())};
  }
  // The address of the elements on whichever device the tensor is, for handing to an
  // implementation of an op. Throws DTypeError.
  template <typename T>
  T* pointer() const {
    check_dtype(dtype_of<T>());
    return static_cast<T*>(static_cast<void*>(storage_.get()));
  }
  std::byte* raw() const { return storage_.get(); }  // on whichever device

  // Views that share storage. reshape keeps the number of elements; slice takes rows
  // [begin, end) of axis 0. Throw ShapeError. Both, and clone, are recorded for gradients.
  Tensor reshape(const Shape& shape) const;
  Tensor slice(int64_t begin, int64_t end) const;
  Tensor clone() const;

  // Gradients. require_grad makes this handle, and copies made of it later, a leaf: what is
  // computed from it is recorded, and backward() adds to its gradient. Throws DTypeError unless
  // floating.
  bool requires_grad() const { return node_ != nullptr; }
  void require_grad();
  Tensor grad() const;      // of a leaf; undefined if there is none yet
  void clear_grad() const;  // of a leaf
  Tensor detach() const;    // the same storage without a tape entry
  const std::shared_ptr<GradNode>& grad_node() const { return node_; }
  Tensor with_grad_node(std::shared_ptr<GradNode> node) const;

  std::string describe() const;  // "[2,100,152,64] f32 cpu", "undefined"

 private:
  Tensor(std::shared_ptr<std::byte> storage, const Shape& shape, DType dtype, Device device);
  void check_access(DType wanted) const;
  void check_dtype(DType wanted) const;

  std::shared_ptr<std::byte> storage_;
  Shape shape_;
  DType dtype_ = DType::kF32;
  Device device_;
  std::shared_ptr<GradNode> node_;  // null: no gradients
};

template <typename T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape) {
  Tensor tensor = empty(Shape{static_cast<int64_t>(values.size())}, dtype_of<T>());
  std::copy(values.begin(), values.end(), tensor.data<T>());
  return tensor.reshape(shape);
}

}  // namespace mrcnn

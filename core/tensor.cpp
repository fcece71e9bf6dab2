#include "core/tensor.h"

#include <cstring>
#include <utility>

#include "core/allocator.h"
#include "core/autograd/record.h"
#include "core/device_memory.h"
#include "core/error.h"
#include "core/primitives.h"

namespace mrcnn {

Tensor::Tensor(std::shared_ptr<std::byte> storage, const Shape& shape, DType dtype, Device device)
    : storage_(std::move(storage)), shape_(shape), dtype_(dtype), device_(device) {}

Tensor Tensor::empty(const Shape& shape, DType dtype, Device device) {
  const int64_t bytes = shape.numel() * dtype_bytes(dtype);
  return {device.is_cpu() ? allocate_host(bytes) : allocate_device(bytes, device), shape, dtype,
          device};
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, Device device) {
  Tensor tensor = empty(shape, dtype, device);
  if (device.is_cpu()) {
    std::memset(tensor.raw(), 0, static_cast<size_t>(tensor.bytes()));
  } else {
    zero_device(tensor.raw(), tensor.bytes(), device);
  }
  return tensor;
}

Tensor Tensor::borrow(std::shared_ptr<const std::byte> owner, const Shape& shape, DType dtype) {
  return {std::const_pointer_cast<std::byte>(std::move(owner)), shape, dtype, Device{}};
}

Tensor Tensor::reshape(const Shape& shape) const {
  if (shape.numel() != numel()) {
    throw ShapeError("[reshape] cannot view " + std::to_string(numel()) + " elements as " +
                     shape.to_string() + ": " + describe());
  }
  return record(
      "reshape", {storage_, shape, dtype_, device_}, {*this},
      [from = shape_](const Tensor& grad) { return std::vector<Tensor>{grad.reshape(from)}; });
}

Tensor Tensor::slice(int64_t begin, int64_t end) const {
  if (rank() == 0 || begin < 0 || begin > end || end > size(0)) {
    throw ShapeError("[slice] rows " + std::to_string(begin) + ".." + std::to_string(end) +
                     " do not exist: " + describe());
  }
  std::vector<int64_t> extents(shape_.extents().begin(), shape_.extents().end());
  const int64_t row_bytes = size(0) == 0 ? 0 : bytes() / size(0);
  extents[0] = end - begin;
  const Tensor rows{std::shared_ptr<std::byte>(storage_, storage_.get() + begin * row_bytes),
                    Shape(std::span<const int64_t>(extents)), dtype_, device_};
  return record("slice", rows, {*this}, [from = shape_, begin, end](const Tensor& grad) {
    Tensor whole = Tensor::zeros(from, grad.dtype(), grad.device());
    copy_(whole.slice(begin, end), grad);
    return std::vector<Tensor>{whole};
  });
}

Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor copy = empty(shape_, dtype_, device_);
  if (device_.is_cpu()) {
    std::memcpy(copy.raw(), raw(), static_cast<size_t>(bytes()));
  } else {
    copy_on_device(copy.raw(), raw(), bytes(), device_);
  }
  return record("clone", copy, {*this},
                [](const Tensor& grad) { return std::vector<Tensor>{grad}; });
}

void Tensor::require_grad() {
  if (!defined() || !is_floating(dtype_)) {
    throw DTypeError("[require_grad] only floating types have gradients: " + describe());
  }
  node_ = make_grad_node("leaf", *this);
  node_->leaf = true;
}

Tensor Tensor::grad() const { return node_ ? node_->grad : Tensor{}; }

void Tensor::clear_grad() const {
  if (node_) node_->grad = Tensor{};
}

Tensor Tensor::detach() const { return with_grad_node(nullptr); }

Tensor Tensor::with_grad_node(std::shared_ptr<GradNode> node) const {
  Tensor tensor{storage_, shape_, dtype_, device_};
  tensor.node_ = std::move(node);
  return tensor;
}

std::string Tensor::describe() const {
  if (!defined()) return "undefined";
  return shape_.to_string() + " " + std::string(dtype_name(dtype_)) + " " + device_.to_string();
}

void Tensor::check_dtype(DType wanted) const {
  if (!defined()) throw ShapeError("[data] tensor is undefined");
  if (wanted != dtype_) {
    throw DTypeError("[data] asked for elements of " + std::string(dtype_name(wanted)) + ": " +
                     describe());
  }
}

void Tensor::check_access(DType wanted) const {
  check_dtype(wanted);
  if (!device_.is_cpu()) throw DeviceError("[data] not on the CPU: " + describe());
}

}  // namespace mrcnn

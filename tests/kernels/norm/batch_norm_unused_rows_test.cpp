// batch_norm with rows that are not part of the batch.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/norm/batch_norm.h"
#include "kernels/shape/concat.h"
#include "tests/kernels/norm/batch_norm_case.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"

namespace mrcnn {
namespace {

using test::batch_norm_case;
using test::BatchNormCase;
using test::BatchNormResult;
using test::run_batch_norm;

// Rows that lie across the edges of chunks.
template <typename T>
BatchNormCase case_with_labels(const std::vector<int32_t>& labels, int64_t channels, bool relu) {
  const auto rows = static_cast<int64_t>(labels.size());
  BatchNormCase c = batch_norm_case<T>({rows, 5, 11, channels}, false, relu);
  c.labels = Tensor::from(labels, {rows});
  return c;
}

Tensor rows_with_labels(const Tensor& tensor, const Tensor& labels, bool used) {
  std::vector<Tensor> rows;
  for (int64_t r = 0; r < labels.numel(); ++r) {
    if ((labels.data<const int32_t>()[r] >= 0) == used) rows.push_back(tensor.slice(r, r + 1));
  }
  return concat(rows);
}

const std::vector<int32_t> kSomeUnused = {-1, 2, -1, -1, -1, 0, 1, -1, 3};

TEST_CASE("Rows with a negative label are as if they were not there, and get no gradient") {
  const BatchNormCase c = case_with_labels<float>(kSomeUnused, 3, true);
  BatchNormCase rest = c;
  rest.labels = Tensor{};
  rest.input = rows_with_labels(c.input, c.labels, true);
  rest.grad = rows_with_labels(c.grad, c.labels, true);
  const BatchNormResult found = run_batch_norm(c), expected = run_batch_norm(rest);
  const auto used = [&](const Tensor& tensor) { return rows_with_labels(tensor, c.labels, true); };
  CHECK(test::count_far(used(found.output), expected.output, 1e-6F, 1e-6F) == 0);
  CHECK(test::count_far(found.running.mean, expected.running.mean, 1e-6F) == 0);
  CHECK(test::count_far(found.running.var, expected.running.var, 1e-6F) == 0);
  CHECK(test::count_far(used(found.grads[0]), expected.grads[0], 1e-5F, 1e-6F) == 0);
  CHECK(test::count_far(found.grads[1], expected.grads[1], 1e-5F, 1e-5F) == 0);
  CHECK(test::count_far(found.grads[2], expected.grads[2], 1e-5F, 1e-5F) == 0);
  for (const float g : rows_with_labels(found.grads[0], c.labels, false).span<const float>()) {
    CHECK(g == 0);
  }
}

TEST_CASE("Gradients with unused rows match finite differences") {
  const BatchNormCase c = case_with_labels<double>({1, -1, 0}, 2, true);
  test::check_gradients(
      [&](const std::vector<Tensor>& in) {
        const BatchNormRunning running{.mean = c.running.mean.clone(),
                                       .var = c.running.var.clone()};
        const Tensor output = batch_norm(in[0], in[1], in[2], running, {}, c.params, c.labels);
        return concat({output.slice(0, 1), output.slice(2, 3)});  // what is defined
      },
      {c.input, c.weight, c.bias});
}

void check_all_unused(Device device) {
  const BatchNormCase c = case_with_labels<float>({-1, -1, -1}, 4, true);
  const BatchNormResult found = run_batch_norm(test::to_device(c, device));
  CHECK(test::count_different_bits(found.running.mean, c.running.mean) == 0);
  CHECK(test::count_different_bits(found.running.var, c.running.var) == 0);
  for (size_t i = 0; i < 3; ++i) {
    const Tensor zeros = Tensor::zeros(found.grads[i].shape());
    CHECK(test::count_far(found.grads[i], zeros, 0) == 0);
  }
  for (const float value : copy_to(found.output, Device{}).span<const float>()) {
    CHECK(std::isfinite(value));
  }
}

TEST_CASE("Nothing happens where all rows are unused") { check_all_unused({}); }

TEST_CASE("CUDA gradients with unused rows match the CPU's") {
  test::on_cuda([](Device device) {
    for (const int64_t channels : {3, 8}) {
      test::check_batch_norm_on_gpu(case_with_labels<float>(kSomeUnused, channels, true), device);
    }
    check_all_unused(device);
  });
}

}  // namespace
}  // namespace mrcnn

// What a build without cuDNN answers.
#include "core/error.h"
#include "kernels/conv/convolution_plan.h"
#include "kernels/conv/plan_ahead.h"

namespace mrcnn::cuda {
namespace {

[[noreturn]] void refuse() {
  throw DeviceError("[convolution] plans need a build with cuDNN: configure with MRCNN_CUDA=ON");
}

}  // namespace

std::string device_description(int) { refuse(); }

void set_convolution_autotune(bool) {}
std::vector<std::string> convolution_fallbacks() { return {}; }

MadePlans make_plans(const std::string&, std::span<const ConvolutionProblem>, const std::string&,
                     const std::function<void(const MadePlan&)>&) {
  refuse();
}

}  // namespace mrcnn::cuda

#include "kernels/conv/cudnn/engines.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mrcnn::cudnn {
namespace {

using cuda::ConvolutionProblem;
using NumericalNotes = std::vector<cudnnBackendNumericalNote_t>;

bool has(const NumericalNotes& notes, cudnnBackendNumericalNote_t note) {
  return std::find(notes.begin(), notes.end(), note) != notes.end();
}

bool is_exact_enough(const NumericalNotes& notes, const ConvolutionProblem& problem) {
  for (const cudnnBackendNumericalNote_t note :
       {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION,
        CUDNN_NUMERICAL_NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_FFT}) {
    if (has(notes, note)) return false;
  }
  const bool strict = problem.dtype == DType::kF32 && !problem.tf32;
  // On f32 tensors the tensor cores multiply in TF32.
  return !strict || !(has(notes, CUDNN_NUMERICAL_NOTE_TENSOR_CORE) ||
                      has(notes, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS));
}

std::vector<Descriptor> ask(const OperationGraph& graph, cudnnBackendHeurMode_t mode,
                            const TargetDevice& device) {
  Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.descriptor());
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, device.properties());
  // A graph that no engine takes is refused here; that is an answer, not a failure.
  if (!heuristic.try_finalize().empty()) return {};
  return heuristic.get_configurations();
}

}  // namespace

EngineSearch find_engines(const OperationGraph& graph, const ConvolutionProblem& problem,
                          const TargetDevice& device) {
  EngineSearch search;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (Descriptor& configuration : ask(graph, mode, device)) {
      const Descriptor engine = configuration.get_engine();
      const NumericalNotes notes = engine.get_numerical_notes();
      if (!is_exact_enough(notes, problem)) {
        ++search.num_refused;
        continue;
      }
      const std::vector<cudnnBackendBehaviorNote_t> behavior = engine.get_behavior_notes();
      search.engines.push_back(
          {.configuration = std::move(configuration),
           .index = engine.get_int64(CUDNN_ATTR_ENGINE_GLOBAL_INDEX),
           .tensor_cores = has(notes, CUDNN_NUMERICAL_NOTE_TENSOR_CORE),
           .compiles = std::find(behavior.begin(), behavior.end(),
                                 CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) != behavior.end()});
    }
  }
  return search;
}

}  // namespace mrcnn::cudnn

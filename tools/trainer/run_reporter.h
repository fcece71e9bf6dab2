// Gathers what the page of a run tells beside its log, and writes it when the run ends.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tools/trainer/model_evaluation.h"
#include "tools/trainer/run_report.h"
#include "tools/trainer/sample_pictures.h"

namespace mrcnn {

class RunReporter {
 public:
  // evaluated: the data of evaluations, null if there are none. It must outlive the reporter.
  RunReporter(const TrainConfig& config, PageFacts facts, const Dataset* evaluated);

  // Instead of an earlier one.
  void evaluated(int64_t step, ModelEvaluation evaluation, std::span<const SamplePicture> samples);

  // Whether there is a page already, and no evaluation for a new one: the old one may have one.
  bool may_know_less() const;

  // Writes the page with today's date. Returns a line that says so, or warns that there is
  // none: a run does not fail for want of a page.
  std::string write(const std::string& outcome, int64_t step, int64_t total_steps,
                    double elapsed_s);

 private:
  const Dataset* evaluated_;
  RunReport report_;
};

}  // namespace mrcnn

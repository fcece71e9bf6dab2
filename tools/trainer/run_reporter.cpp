#include "tools/trainer/run_reporter.h"

#include <fmt/format.h>

#include <exception>
#include <filesystem>
#include <utility>

#include "tools/report/html/evaluation_page.h"
#include "tools/report/html/mistake_pictures.h"

namespace mrcnn {

RunReporter::RunReporter(const TrainConfig& config, PageFacts facts, const Dataset* evaluated)
    : evaluated_(evaluated) {
  report_.config = config;
  report_.facts = std::move(facts);
}

void RunReporter::evaluated(int64_t step, ModelEvaluation evaluation,
                            std::span<const SamplePicture> samples) {
  report_.evaluated = evaluated_;
  report_.evaluated_step = step;
  report_.parts = std::move(evaluation.parts);
  report_.samples.clear();
  for (const SamplePicture& sample : samples) {
    report_.samples.push_back(page_picture(
        sample.pixels, sample.file_name + ": as annotated, and what is found", sample.file_name));
  }
}

bool RunReporter::may_know_less() const {
  return report_.evaluated == nullptr &&
         std::filesystem::exists(report_.config.out + "/report.html");
}

std::string RunReporter::write(const std::string& outcome, int64_t step, int64_t total_steps,
                               double elapsed_s) {
  report_.outcome = outcome;
  report_.step = step;
  report_.total_steps = total_steps;
  report_.elapsed_s = elapsed_s;
  report_.date = page_date();
  try {
    write_run_report(report_);
  } catch (const std::exception& error) {
    return fmt::format("warning: there is no page of this run: {}", error.what());
  }
  return fmt::format("wrote {}/report.html", report_.config.out);
}

}  // namespace mrcnn

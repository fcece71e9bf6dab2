#include "tools/evaluate/evaluation_report.h"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tools/report/html/evaluation_page.h"
#include "tools/report/html/mistake_pictures.h"
#include "tools/trainer/sample_pictures.h"

namespace mrcnn {
namespace {

PageFacts facts_of(const EvaluateOptions& options, const Dataset& dataset) {
  PageFacts facts{{"Program", "maskrcnn.cpp " MRCNN_VERSION}};
  if (!options.results.empty()) facts.emplace_back("Results", options.results);
  if (!options.weights.empty()) facts.emplace_back("Weights", options.weights);
  facts.emplace_back("Ground truth", fmt::format("{}: {} images", dataset.name(), dataset.size()));
  if (options.max_images > 0) {
    facts.emplace_back("Images", fmt::format("the first {}", options.max_images));
  }
  if (options.score) facts.emplace_back("Least score", fmt::format("{}", *options.score));
  if (options.strict_pycocotools) facts.emplace_back("Oddities", "as pycocotools");
  return facts;
}

}  // namespace

void write_evaluation_report(const EvaluateOptions& options, const Dataset& dataset,
                             const Evaluators& evaluators, const EvaluationReport& report) {
  std::vector<EvaluatedPart> parts;
  for (size_t i = 0; i < evaluators.parts().size(); ++i) {
    const Evaluators::Part& part = evaluators.parts()[i];
    parts.push_back(evaluated_part(part.kind, *part.coco));
    parts.back().confusion = part.confusion.get();
    parts.back().intervals = report.scores[i].intervals;
    parts.back().voc = report.scores[i].voc;
  }
  const std::string& subject = options.weights.empty() ? options.results : options.weights;
  EvaluationPage page{
      .title = "Evaluation of " + std::filesystem::path(subject).filename().string(),
      .subtitle = fmt::format("on {}; {}", dataset.name(), page_date()),
      .samples = {},
      .facts = facts_of(options, dataset)};
  page.facts.insert(page.facts.end(), report.facts.begin(), report.facts.end());
  if (report.model != nullptr) {
    for (const SamplePicture& sample : draw_samples(*report.model, dataset)) {
      page.samples.push_back(page_picture(
          sample.pixels, sample.file_name + ": as annotated, and what is found", sample.file_name));
    }
  }
  write_text_file(options.html, evaluation_page(page, dataset, parts));
}

}  // namespace mrcnn

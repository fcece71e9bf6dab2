#include "tools/report/html/evaluation_part.h"

#include <optional>
#include <utility>

#include "tools/report/html/confusion_tables.h"
#include "tools/report/html/evaluation_charts.h"
#include "tools/report/html/evaluation_tables.h"
#include "tools/report/html/mistake_pictures.h"

namespace mrcnn {
namespace {

void add_mistakes(Page& page, const Dataset& dataset, const Mistakes& mistakes) {
  if (mistakes.false_positives.empty() && mistakes.misses.empty()) return;
  page.section("Mistakes");
  page.paragraph(
      "The worst ones at an IoU of 0.5. Areas are what is annotated in the picture; the frame is "
      "the detection or the object in question.");
  const MistakePictures pictures = draw_mistakes(dataset, mistakes);
  if (!pictures.false_positives.empty()) {
    page.heading("Found, but wrong, by score");
    page.pictures(pictures.false_positives);
  }
  if (!pictures.misses.empty()) {
    page.heading("Not found, by size");
    page.pictures(pictures.misses);
  }
  if (pictures.num_unreadable > 0) page.paragraph("Some of their images could not be read.");
}

}  // namespace

EvaluatedPart evaluated_part(IouKind kind, const CocoEvaluator& evaluator) {
  EvaluatedPart part;
  part.kind = kind;
  part.matches = evaluator.matches();
  part.mistakes = evaluator.mistakes();
  return part;
}

std::string_view kind_name(IouKind kind) { return kind == IouKind::kBox ? "box" : "mask"; }

void add_evaluation(Page& page, const Dataset& dataset, std::span<const EvaluatedPart> parts,
                    const std::string& note) {
  if (parts.empty()) return;
  std::vector<NamedCurves> curves;
  for (const EvaluatedPart& part : parts) {
    curves.push_back({kind_name(part.kind), CocoCurves(part.matches)});
  }
  page.section("Average precision");
  if (!note.empty()) page.paragraph(note);
  std::vector<NamedValues> values;
  for (size_t i = 0; i < parts.size(); ++i) {
    values.push_back({.name = std::string(curves[i].name),
                      .values = summarize(curves[i].curves).values,
                      .intervals = parts[i].intervals,
                      .voc = parts[i].voc});
  }
  page.table(coco_table("COCO's twelve numbers", values));
  page.table(class_table(dataset.classes(), curves));
  page.section("Precision, recall and scores");
  std::vector<PageFigure> figures;
  for (size_t i = 0; i < parts.size(); ++i) {
    figures.push_back(precision_recall_figure(curves[i]));
    if (std::optional<PageFigure> classes = class_precision_figure(dataset.classes(), curves[i])) {
      figures.push_back(std::move(*classes));
    }
    figures.push_back(score_histogram_figure(curves[i].name, parts[i].matches));
  }
  page.figures(figures);
  if (parts.back().confusion != nullptr) {
    add_confusion(page, dataset.classes(), *parts.back().confusion);
  }
  add_mistakes(page, dataset, parts.back().mistakes);
}

}  // namespace mrcnn

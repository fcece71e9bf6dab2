// An evaluation as a page of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tools/report/html/evaluation_part.h"
#include "tools/report/html/page.h"

namespace mrcnn {

// So many mistakes of each kind are worth a look; CocoEvaluatorOptions::num_mistakes.
inline constexpr int64_t kShownMistakes = 12;

struct EvaluationPage {
  std::string title;
  std::string subtitle;              // what was evaluated, and when
  std::vector<PagePicture> samples;  // may be empty
  PageFacts facts;                   // options, device, versions
};

std::string evaluation_page(const EvaluationPage& page, const Dataset& dataset,
                            std::span<const EvaluatedPart> parts);

// Rows of names and values.
PageTable facts_table(const std::string& caption, const PageFacts& facts);

// Pictures of what was annotated, above what was found.
void add_samples(Page& page, const std::vector<PagePicture>& samples);

// "2026-11-28 12:00 UTC"
std::string page_date();

}  // namespace mrcnn

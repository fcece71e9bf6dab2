#include "tools/report/html/evaluation_page.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <ctime>

#include "tools/report/html/evaluation_tables.h"

namespace mrcnn {
namespace {

// The numbers that are quoted most.
void add_tiles(Page& page, std::span<const EvaluatedPart> parts) {
  PageFacts tiles;
  for (const EvaluatedPart& part : parts) {
    const CocoValues values = summarize(CocoCurves(part.matches)).values;
    for (size_t i = 0; i < 3; ++i) {
      tiles.emplace_back(fmt::format("{} {}", kind_name(part.kind), kCocoMetrics[i]),
                         precision_cell(values[i]).text);
    }
  }
  if (!parts.empty()) {
    tiles.emplace_back("images", fmt::format("{}", parts.front().matches.image_ids.size()));
  }
  page.tiles(tiles);
}

}  // namespace

std::string evaluation_page(const EvaluationPage& content, const Dataset& dataset,
                            std::span<const EvaluatedPart> parts) {
  Page page(content.title, content.subtitle);
  add_tiles(page, parts);
  add_evaluation(page, dataset, parts);
  add_samples(page, content.samples);
  page.section("Run");
  page.table(facts_table("Where and with what it ran", content.facts));
  return page.finish();
}

PageTable facts_table(const std::string& caption, const PageFacts& facts) {
  PageTable table{.caption = caption, .columns = {"Name", "Value"}, .rows = {}};
  for (const auto& [name, value] : facts) {
    table.rows.push_back({{.text = name}, {.text = value, .words = true}});
  }
  return table;
}

void add_samples(Page& page, const std::vector<PagePicture>& samples) {
  if (samples.empty()) return;
  page.section("Samples");
  page.paragraph("The first images of the evaluation: annotated above, found below.");
  page.pictures(samples);
}

std::string page_date() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(now));
}

}  // namespace mrcnn

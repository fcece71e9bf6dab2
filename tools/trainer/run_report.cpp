#include "tools/trainer/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "tools/report/html/axis.h"
#include "tools/report/html/chart_file.h"
#include "tools/report/html/evaluation_page.h"
#include "tools/report/html/evaluation_tables.h"
#include "tools/trainer/config_file.h"
#include "tools/trainer/duration.h"
#include "tools/trainer/run_charts.h"

namespace mrcnn {
namespace {

constexpr size_t kMostEvaluations = 60;  // in the table
constexpr size_t kRecentRecords = 20;    // of the log, for a mean of the loss

std::string score_text(double value) { return value >= 0 ? fmt::format("{:.3f}", value) : "-"; }

// The record whose value is largest; null if none has one.
const LogRecord* best_of(const std::vector<LogRecord>& records, std::string_view name) {
  const LogRecord* best = nullptr;
  for (const LogRecord& record : records) {
    const double value = value_of(record, name);
    if (std::isfinite(value) && (best == nullptr || value > value_of(*best, name))) best = &record;
  }
  return best;
}

double recent_mean(const std::vector<CurvePoint>& points) {
  const size_t count = std::min(points.size(), kRecentRecords);
  double sum = 0;
  for (size_t i = points.size() - count; i < points.size(); ++i) sum += points[i].y;
  return sum / static_cast<double>(count);  // not a number of none
}

void add_tiles(Page& page, const RunReport& report, const RunLog& log) {
  PageFacts tiles;
  for (const auto& [title, name] :
       {std::pair{"Best mask AP", "mask_ap"}, std::pair{"Best mask AP50", "mask_ap50"},
        std::pair{"Best box AP", "box_ap"}}) {
    const LogRecord* const best = best_of(log.evaluations, name);
    if (best != nullptr) tiles.emplace_back(title, score_text(value_of(*best, name)));
  }
  tiles.emplace_back("Recent loss", short_number(recent_mean(curve_of(log.training, "loss"))));
  tiles.emplace_back("Images/s", short_number(recent_mean(curve_of(log.training, "images_per_s"))));
  tiles.emplace_back("Steps", fmt::format("{}/{}", report.step, report.total_steps));
  tiles.emplace_back("Time", duration_text(std::max(1.0, std::round(report.elapsed_s))));
  page.tiles(tiles);
}

// All evaluations of a short run; of a long one evenly chosen ones, the last and the best.
std::vector<const LogRecord*> chosen_evaluations(const std::vector<LogRecord>& all,
                                                 const std::string& best_metric) {
  std::set<const LogRecord*> chosen;  // by address, which is their order
  const size_t every = all.size() / kMostEvaluations + 1;
  for (size_t i = 0; i < all.size(); i += every) chosen.insert(&all[i]);
  chosen.insert(&all.back());
  if (const LogRecord* const best = best_of(all, best_metric)) chosen.insert(best);
  return {chosen.begin(), chosen.end()};
}

void add_evaluations(Page& page, const RunReport& report, const RunLog& log) {
  page.section("Evaluations");
  if (log.evaluations.empty()) {
    page.paragraph("This run was not evaluated.");
    return;
  }
  const LogRecord* const best = best_of(log.evaluations, report.config.best_metric);
  const std::vector<const LogRecord*> rows =
      chosen_evaluations(log.evaluations, report.config.best_metric);
  const std::string shown = rows.size() < log.evaluations.size()
                                ? fmt::format("{} of {}", rows.size(), log.evaluations.size())
                                : fmt::format("{}", rows.size());
  PageTable table{.caption = fmt::format("Evaluations: {}; * is the best by {}", shown,
                                         report.config.best_metric),
                  .columns = {"Step", "Epoch"},
                  .rows = {}};
  for (const char* kind : {"box", "mask"}) {
    for (const char* number : {"AP", "AP50", "AP75"}) {
      table.columns.push_back(fmt::format("{} {}", kind, number));
    }
  }
  for (const LogRecord* record : rows) {
    std::vector<PageCell> row{
        {.text = fmt::format("{}{}", record->step, record == best ? "\u00a0*" : "")},
        {.text = fmt::format("{:.2f}", record->epoch)}};
    for (const char* name :
         {"box_ap", "box_ap50", "box_ap75", "mask_ap", "mask_ap50", "mask_ap75"}) {
      row.push_back(precision_cell(value_of(*record, name)));
    }
    table.rows.push_back(std::move(row));
  }
  page.table(table);
}

// Of the last evaluation, as the log has them.
void add_logged_numbers(Page& page, const LogRecord& record) {
  std::vector<NamedValues> values;
  for (const char* kind : {"box", "mask"}) {
    NamedValues one{.name = kind};
    for (size_t i = 0; i < kCocoMetrics.size(); ++i) {
      std::string name = fmt::format("{}_{}", kind, kCocoMetrics[i]);
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      one.values[i] = value_of(record, name);
    }
    values.push_back(std::move(one));
  }
  page.section("Average precision");
  page.paragraph(
      "Of the last evaluation in the log. Classes, curves and pictures are not in the log: "
      "evaluate "
      "makes a page with them.");
  page.table(coco_table(fmt::format("COCO's twelve numbers at step {}", record.step), values));
}

void add_last_evaluation(Page& page, const RunReport& report, const RunLog& log) {
  const bool details = report.evaluated != nullptr && !report.parts.empty();
  if (details) {
    add_evaluation(page, *report.evaluated, report.parts,
                   fmt::format("At step {}.", report.evaluated_step));
  } else if (!log.evaluations.empty()) {
    add_logged_numbers(page, log.evaluations.back());
  }
  add_samples(page, report.samples);
}

// The lines of config.txt.
PageFacts setting_facts(const TrainConfig& config) {
  PageFacts facts;
  std::istringstream lines(config_text(config));
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find(" = ");
    if (line.starts_with('#') || equals == line.npos) continue;
    facts.emplace_back(line.substr(0, equals), line.substr(equals + 3));
  }
  return facts;
}

}  // namespace

std::string run_page(const RunReport& report, const RunLog& log) {
  Page page("Training of " + report.config.model,
            fmt::format("{}; {} at step {} of {}; {}", report.config.data, report.outcome,
                        report.step, report.total_steps, report.date));
  add_tiles(page, report, log);
  page.section("Curves");
  const std::vector<PageFigure> charts = run_charts(log);
  if (charts.empty()) page.paragraph("The log has no numbers yet.");
  page.figures(charts);
  add_evaluations(page, report, log);
  add_last_evaluation(page, report, log);
  page.section("Run");
  page.table(facts_table("Where and with what it ran", report.facts));
  page.table(facts_table("Settings", setting_facts(report.config)));
  return page.finish();
}

void write_run_report(const RunReport& report) {
  const RunLog log = read_run_log(report.config.out + "/log.jsonl");
  write_text_file(report.config.out + "/report.html", run_page(report, log));
  write_text_file(report.config.out + "/curves.svg", chart_file(run_charts(log)));
}

}  // namespace mrcnn

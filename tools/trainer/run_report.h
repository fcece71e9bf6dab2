// A run as a page for people: OUT/report.html, and its curves alone as OUT/curves.svg.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/report/html/evaluation_part.h"
#include "tools/report/html/page.h"
#include "tools/trainer/run_log.h"
#include "tools/trainer/train_config.h"

namespace mrcnn {

// What log.jsonl does not tell.
struct RunReport {
  TrainConfig config;
  std::string outcome;  // "finished", "stopped by a signal", ...
  int64_t step = 0;
  int64_t total_steps = 0;
  double elapsed_s = 0;  // training time of all runs so far
  std::string date;      // of the page
  PageFacts facts;       // device, data, versions

  // The latest evaluation, if this process made it: without, the page has the log's numbers only.
  int64_t evaluated_step = -1;
  const Dataset* evaluated = nullptr;
  std::vector<EvaluatedPart> parts;
  std::vector<PagePicture> samples;
};

// The page of a run whose log is `log`.
std::string run_page(const RunReport& report, const RunLog& log);

// Writes both files from config.out's log. Throws FileError.
void write_run_report(const RunReport& report);

}  // namespace mrcnn

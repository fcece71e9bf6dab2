// The numbers of a run as its log.jsonl has them, for a look back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/report/html/curve.h"
#include "tools/trainer/step_log.h"

namespace mrcnn {

struct RunLog {
  std::vector<LogRecord> training;
  std::vector<LogRecord> evaluations;
};

// Lines that are no record (torn by a crash) are passed over; no file is as good as an empty one.
// null reads as a value that is not a number. Throws FileError if the file cannot be read.
RunLog read_run_log(const std::string& path);

// Not a number if the record has no value of that name.
double value_of(const LogRecord& record, std::string_view name);

// A value over steps; empty if no record has it.
std::vector<CurvePoint> curve_of(const std::vector<LogRecord>& records, std::string_view name);

}  // namespace mrcnn

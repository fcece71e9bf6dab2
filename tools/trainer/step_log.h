// The numbers of a run, twice: log.jsonl, one JSON object a line, and log.csv, one row a record.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/trainer/append_file.h"
#include "tools/trainer/log_cut.h"

namespace mrcnn {

struct LogRecord {
  std::string kind;  // "train", "eval"
  int64_t step = 0;
  double epoch = 0;  // passes over the data, with a fraction
  std::vector<std::pair<std::string, double>> values;
};

class StepLog {
 public:
  // Opens the two files of `directory` and cuts them back to `last_step`, the step of the
  // checkpoint that the run goes on from; -1 starts them anew. `columns` are the values that
  // log.csv has beside step, epoch and kind; names hold neither commas nor line breaks. Columns
  // that a resumed log has and this run does not stay, empty from here on.
  StepLog(const std::string& directory, std::vector<std::string> columns, int64_t last_step);

  // log.jsonl gets every value, log.csv those it has columns for. A value that is not finite is
  // null in JSON, which has no word for it, and nan or inf in CSV.
  void write(const LogRecord& record);

  // Until everything is on the disk. Before a checkpoint is saved, so that the logs are never
  // behind.
  void sync();

  const CutReport& cut() const { return cut_; }  // of log.jsonl

 private:
  std::vector<std::string> columns_;
  CutReport cut_;
  std::unique_ptr<AppendFile> json_;
  std::unique_ptr<AppendFile> csv_;
};

}  // namespace mrcnn

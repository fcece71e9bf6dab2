#include "tools/trainer/step_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/report/json_writer.h"

namespace mrcnn {
namespace {

std::string json_line(const LogRecord& record) {
  std::string line;
  JsonWriter writer([&line](std::string_view text) { line += text; });
  writer.begin_object();
  writer.member("kind", record.kind);
  writer.member("step", record.step);
  writer.member("epoch", record.epoch);
  for (const auto& [name, value] : record.values) {
    writer.key(name);
    if (std::isfinite(value)) {
      writer.value(value);
    } else {
      writer.null();
    }
  }
  writer.end_object();
  writer.finish();
  return line;
}

std::string csv_row(const LogRecord& record, const std::vector<std::string>& columns) {
  std::string row;
  for (const std::string& column : columns) {
    if (!row.empty()) row += ',';
    if (column == "step") {
      row += std::to_string(record.step);
    } else if (column == "epoch") {
      row += fmt::format("{}", record.epoch);
    } else if (column == "kind") {
      row += record.kind;
    } else {
      const auto found =
          std::find_if(record.values.begin(), record.values.end(),
                       [&column](const auto& entry) { return entry.first == column; });
      if (found != record.values.end()) row += fmt::format("{}", found->second);
    }
  }
  return row + "\n";
}

}  // namespace

StepLog::StepLog(const std::string& directory, std::vector<std::string> columns,
                 int64_t last_step) {
  columns_ = {"step", "epoch", "kind"};
  columns_.insert(columns_.end(), columns.begin(), columns.end());
  const std::string json_path = directory + "/log.jsonl";
  const std::string csv_path = directory + "/log.csv";
  cut_ = cut_json_lines(json_path, last_step);
  cut_csv(csv_path, last_step, columns_);
  json_ = std::make_unique<AppendFile>(json_path, AppendFile::Open::kAppend);
  csv_ = std::make_unique<AppendFile>(csv_path, AppendFile::Open::kAppend);
  if (csv_->empty()) csv_->append(fmt::format("{}\n", fmt::join(columns_, ",")));
}

void StepLog::write(const LogRecord& record) {
  json_->append(json_line(record));
  csv_->append(csv_row(record, columns_));
}

void StepLog::sync() {
  json_->sync();
  csv_->sync();
}

}  // namespace mrcnn

#include "tools/trainer/run_log.h"

#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>

#include "core/io/file.h"

namespace mrcnn {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

std::optional<LogRecord> parse_record(simdjson::dom::parser& parser, std::string_view line) {
  simdjson::dom::object object;
  if (parser.parse(line.data(), line.size()).get(object)) return std::nullopt;
  LogRecord record;
  std::string_view kind;
  if (object["kind"].get(kind) || object["step"].get(record.step)) return std::nullopt;
  record.kind = kind;
  for (const auto [name, element] : object) {
    double value = kNotANumber;
    if (!element.is_null() && element.get(value)) continue;  // the kind
    if (name == "epoch") {
      record.epoch = value;
    } else if (name != "step") {
      record.values.emplace_back(name, value);
    }
  }
  return record;
}

}  // namespace

RunLog read_run_log(const std::string& path) {
  RunLog log;
  if (!std::filesystem::exists(path)) return log;
  const FileBytes file = read_file(path, ExitCode::kResources);
  const void* data = file.bytes.data();
  std::string_view rest(static_cast<const char*>(data), file.bytes.size());
  simdjson::dom::parser parser;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    if (std::optional<LogRecord> record = parse_record(parser, rest.substr(0, end))) {
      std::vector<LogRecord>* const list = record->kind == "train"  ? &log.training
                                           : record->kind == "eval" ? &log.evaluations
                                                                    : nullptr;
      if (list != nullptr) list->push_back(std::move(*record));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return log;
}

double value_of(const LogRecord& record, std::string_view name) {
  for (const auto& [key, value] : record.values) {
    if (key == name) return value;
  }
  return kNotANumber;
}

std::vector<CurvePoint> curve_of(const std::vector<LogRecord>& records, std::string_view name) {
  std::vector<CurvePoint> points;
  for (const LogRecord& record : records) {
    points.push_back({static_cast<double>(record.step), value_of(record, name)});
  }
  return finite_points(points);
}

}  // namespace mrcnn

#include "tools/evaluate/score_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string_view>
#include <vector>

#include "tools/report/document_output.h"
#include "tools/report/json_writer.h"
#include "tools/report/utf8.h"

namespace mrcnn {
namespace {

void write_values(JsonWriter& json, const CocoValues& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    json.member(kCocoMetrics[i], values[i]);
  }
}

void write_interval(JsonWriter& json, const Interval& interval) {
  json.begin_array();
  json.value(interval.low);
  json.value(interval.high);
  json.end_array();
}

void write_voc(JsonWriter& json, const VocAp& voc) {
  json.member("AP2012", voc.ap_2012);
  json.member("AP2007", voc.ap_2007);
}

void write_class(JsonWriter& json, const ClassScores& one) {
  json.begin_object();
  json.member("category_id", one.category_id);
  json.member("name", one.name);
  json.member("objects", one.num_truths);
  json.member("detections", one.num_detections);
  write_values(json, one.values);
  if (one.ap_interval) {
    json.key("AP_interval");
    write_interval(json, *one.ap_interval);
  }
  if (one.voc) write_voc(json, *one.voc);
  json.end_object();
}

// `name`: {"bbox": {...}, "segm": {...}}, what is in the braces by `write`.
template <typename Write>
void write_by_type(JsonWriter& json, std::string_view name, std::span<const Scores> scores,
                   Write write) {
  json.key(name);
  json.begin_object();
  for (const Scores& one : scores) {
    json.key(one.type);
    write(one);
  }
  json.end_object();
}

void write_intervals(JsonWriter& json, const CocoIntervals& intervals) {
  json.begin_object();
  for (size_t i = 0; i < intervals.size(); ++i) {
    json.key(kCocoMetrics[i]);
    write_interval(json, intervals[i]);
  }
  json.end_object();
}

// RFC 4180.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_values(const CocoValues& values, const std::optional<Interval>& ap,
                       const std::optional<VocAp>& voc) {
  std::string text;
  for (const double value : values) text += fmt::format(",{}", value);
  if (ap) text += fmt::format(",{},{}", ap->low, ap->high);
  if (voc) text += fmt::format(",{},{}", voc->ap_2012, voc->ap_2007);
  return text + '\n';
}

std::string csv_header(const Scores& scores) {
  std::string text = "type,class,category_id,objects,detections";
  for (const std::string_view metric : kCocoMetrics) text += fmt::format(",{}", metric);
  if (scores.intervals) text += ",AP_low,AP_high";
  if (scores.voc) text += ",AP2012,AP2007";
  return text + '\n';
}

}  // namespace

void write_score_json(const std::string& path, std::span<const Scores> scores, ScoreDetail detail) {
  DocumentOutput output(path);
  JsonWriter json([&output](std::string_view text) { output.write(text); });
  json.begin_object();
  for (const Scores& one : scores) {
    json.key(one.type);
    json.begin_object();
    write_values(json, one.values);
    json.end_object();
  }
  if (scores.front().intervals) {
    write_by_type(json, "intervals", scores,
                  [&json](const Scores& one) { write_intervals(json, *one.intervals); });
  }
  if (scores.front().voc) {
    write_by_type(json, "voc", scores, [&json](const Scores& one) {
      json.begin_object();
      write_voc(json, *one.voc);
      json.end_object();
    });
  }
  if (detail == ScoreDetail::kPerClass) {
    write_by_type(json, "per_class", scores, [&json](const Scores& one) {
      json.begin_array(JsonWriter::Layout::kLinePerItem);
      for (const ClassScores& row : one.classes) write_class(json, row);
      json.end_array();
    });
  }
  json.end_object();
  json.finish();
  output.commit();
}

void write_score_csv(const std::string& path, std::span<const Scores> scores, ScoreDetail detail) {
  DocumentOutput output(path);
  output.write(csv_header(scores.front()));
  for (const Scores& one : scores) {
    int64_t truths = 0, detections = 0;
    for (const ClassScores& row : one.classes) {
      truths += row.num_truths;
      detections += row.num_detections;
    }
    const std::optional<Interval> ap =
        one.intervals ? std::optional(one.intervals->front()) : std::nullopt;
    output.write(fmt::format("{},all,,{},{}{}", one.type, truths, detections,
                             csv_values(one.values, ap, one.voc)));
    if (detail == ScoreDetail::kSummary) continue;
    for (const ClassScores& row : one.classes) {
      output.write(fmt::format("{},{},{},{},{}{}", one.type, csv_field(to_valid_utf8(row.name)),
                               row.category_id, row.num_truths, row.num_detections,
                               csv_values(row.values, row.ap_interval, row.voc)));
    }
  }
  output.commit();
}

void write_confusion_csv(const std::string& path, std::span<const DatasetClass> classes,
                         const ConfusionMatrix& confusion) {
  DocumentOutput output(path);
  std::vector<std::string> names;
  for (const DatasetClass& one : classes) names.push_back(csv_field(to_valid_utf8(one.name)));
  names.emplace_back("nothing");
  output.write(fmt::format("object,{}\n", fmt::join(names, ",")));
  for (size_t truth = 0; truth < names.size(); ++truth) {
    output.write(names[truth]);
    for (size_t found = 0; found < names.size(); ++found) {
      output.write(fmt::format(",{}", confusion.count(truth, found)));
    }
    output.write("\n");
  }
  output.commit();
}

}  // namespace mrcnn

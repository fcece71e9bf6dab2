#include "tools/evaluate/comparison_files.h"

#include <fmt/format.h>

#include <string_view>

#include "tools/report/document_output.h"
#include "tools/report/json_writer.h"

namespace mrcnn {
namespace {

void write_number(JsonWriter& json, std::string_view name, double value) {
  json.member(name, value);
}

void write_metric(JsonWriter& json, const Comparison& comparison, size_t i) {
  const Difference& difference = comparison.differences[i];
  if (!difference.defined) return json.null();
  json.begin_object();
  write_number(json, "first", comparison.first[i]);
  write_number(json, "second", comparison.second[i]);
  write_number(json, "difference", difference.value);
  json.key("interval");
  json.begin_array();
  json.value(difference.interval.low);
  json.value(difference.interval.high);
  json.end_array();
  write_number(json, "p", difference.p);
  json.end_object();
}

}  // namespace

void write_comparison_json(const std::string& path, std::span<const Comparison> comparisons) {
  DocumentOutput output(path);
  JsonWriter json([&output](std::string_view text) { output.write(text); });
  json.begin_object();
  for (const Comparison& one : comparisons) {
    json.key(one.type);
    json.begin_object();
    for (size_t i = 0; i < kCocoMetrics.size(); ++i) {
      json.key(kCocoMetrics[i]);
      write_metric(json, one, i);
    }
    json.end_object();
  }
  json.end_object();
  json.finish();
  output.commit();
}

void write_comparison_csv(const std::string& path, std::span<const Comparison> comparisons) {
  DocumentOutput output(path);
  output.write("type,number,first,second,difference,low,high,p\n");
  for (const Comparison& one : comparisons) {
    for (size_t i = 0; i < kCocoMetrics.size(); ++i) {
      const Difference& difference = one.differences[i];
      if (!difference.defined) continue;
      output.write(fmt::format("{},{},{},{},{},{},{},{}\n", one.type, kCocoMetrics[i], one.first[i],
                               one.second[i], difference.value, difference.interval.low,
                               difference.interval.high, difference.p));
    }
  }
  output.commit();
}

}  // namespace mrcnn

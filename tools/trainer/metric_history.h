// The evaluations of a run: which was best, and how long ago.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mrcnn {

class MetricHistory {
 public:
  struct Entry {
    int64_t step = 0;
    std::map<std::string, double> values;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  struct Best {
    int64_t step = 0;
    double value = 0;
    int64_t evaluations_since = 0;  // with this metric
  };

  // Steps ascend. Throws Error (ExitCode::kInternal) otherwise.
  void add(int64_t step, std::map<std::string, double> values);
  const std::vector<Entry>& entries() const { return entries_; }

  // The largest value of a metric; the first of equal ones. For a metric that begins with "loss"
  // the smallest. Values that are not finite never win. Nothing if there is none.
  std::optional<Best> best(const std::string& metric) const;

  // Whether the last `patience` evaluations brought nothing better. 0: never.
  bool should_stop(const std::string& metric, int64_t patience) const;

  // "step name=value name=value", one evaluation a line; read back exactly.
  std::string text() const;
  // Throws Error (ExitCode::kModel) that names the line.
  static MetricHistory parse(std::string_view text);

 private:
  std::vector<Entry> entries_;
};

}  // namespace mrcnn

#include "tools/dataset/stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "core/io/file.h"
#include "core/parallel.h"
#include "tools/report/json_writer.h"

namespace mrcnn {
namespace {

// Source: pycocotools cocoeval.py, Params.areaRng.
constexpr double kSmallArea = 32 * 32;
constexpr double kMediumArea = 96 * 96;

struct ObjectFacts {
  int64_t label;
  double area;
  bool crowd;
  bool difficult;
};

// By image. On all threads, because a data set may draw every mask when it is asked.
std::vector<std::vector<ObjectFacts>> all_facts(const Dataset& dataset) {
  std::vector<std::vector<ObjectFacts>> facts(static_cast<size_t>(dataset.size()));
  parallel_for(0, dataset.size(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (const DatasetObject& object : dataset.objects(i)) {
        facts[static_cast<size_t>(i)].push_back(
            {object.label, object.area, object.crowd, object.difficult});
      }
    }
  });
  return facts;
}

void count_object(const ObjectFacts& object, ClassCounts& counts) {
  ++counts.objects;
  ++(object.area < kSmallArea    ? counts.small
     : object.area < kMediumArea ? counts.medium
                                 : counts.large);
}

void count_sizes(const DatasetImage& image, DatasetStats& stats) {
  stats.min_height = std::min(stats.min_height, image.height);
  stats.max_height = std::max(stats.max_height, image.height);
  stats.min_width = std::min(stats.min_width, image.width);
  stats.max_width = std::max(stats.max_width, image.width);
}

// The first bin holds what is below the first limit, the last what is not below the last.
class Histogram {
 public:
  explicit Histogram(std::vector<int64_t> limits)
      : limits_(std::move(limits)), counts_(limits_.size() + 1, 0) {}

  void add(double value) {
    size_t bin = 0;
    while (bin < limits_.size() && value >= static_cast<double>(limits_[bin])) ++bin;
    ++counts_[bin];
  }

  std::vector<HistogramBin> bins() const {
    std::vector<HistogramBin> bins;
    for (size_t i = 0; i < counts_.size(); ++i) {
      const int64_t low = i == 0 ? 0 : limits_[i - 1];
      bins.push_back(
          {i == limits_.size() ? fmt::format("{}+", low) : range(low, limits_[i] - 1), counts_[i]});
    }
    return bins;
  }

 private:
  static std::string range(int64_t low, int64_t high) {
    return low == high ? fmt::format("{}", low) : fmt::format("{}-{}", low, high);
  }

  std::vector<int64_t> limits_;
  std::vector<int64_t> counts_;
};

std::string range(int64_t low, int64_t high) {
  return low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high);
}

}  // namespace

DatasetStats collect_stats(const Dataset& dataset) {
  DatasetStats stats;
  stats.name = dataset.name();
  stats.fingerprint = dataset.fingerprint();
  stats.images = dataset.size();
  stats.min_height = stats.min_width = std::numeric_limits<int64_t>::max();
  std::map<int64_t, size_t> position;  // of a label in the list
  for (const DatasetClass& one : dataset.classes()) {
    position[one.label] = stats.classes.size();
    stats.classes.push_back({.name = one.name});
  }
  const std::vector<std::vector<ObjectFacts>> facts = all_facts(dataset);
  Histogram sides({8, 16, 32, 64, 128, 256, 512});
  Histogram in_images({1, 2, 3, 5, 10, 20, 50, 100});
  for (int64_t i = 0; i < dataset.size(); ++i) {
    count_sizes(dataset.image(i), stats);
    int64_t in_image = 0;
    std::set<size_t> seen;
    for (const ObjectFacts& object : facts[static_cast<size_t>(i)]) {
      if (object.crowd) {
        ++stats.crowds;
        continue;
      }
      const size_t row = position.at(object.label);
      count_object(object, stats.classes[row]);
      sides.add(std::sqrt(std::max(object.area, 0.0)));
      seen.insert(row);
      ++in_image;
      stats.difficult += object.difficult ? 1 : 0;
    }
    for (const size_t row : seen) ++stats.classes[row].images;
    stats.objects += in_image;
    in_images.add(static_cast<double>(in_image));
    stats.most_objects = std::max(stats.most_objects, in_image);
    stats.images_without_objects += in_image == 0 ? 1 : 0;
  }
  if (stats.images == 0) stats.min_height = stats.min_width = 0;
  stats.sides = sides.bins();
  stats.objects_in_image = in_images.bins();
  return stats;
}

std::string format_stats(const DatasetStats& stats) {
  std::string text = fmt::format(
      "{}\nfingerprint {}\n{} images, {} without objects, width {}, height {}\n{} objects, {:.2f} "
      "an "
      "image and at most {}; {} crowds, {} difficult\n\n",
      stats.name, stats.fingerprint, stats.images, stats.images_without_objects,
      range(stats.min_width, stats.max_width), range(stats.min_height, stats.max_height),
      stats.objects,
      static_cast<double>(stats.objects) / static_cast<double>(std::max<int64_t>(stats.images, 1)),
      stats.most_objects, stats.crowds, stats.difficult);
  size_t name_columns = 5;
  for (const ClassCounts& one : stats.classes) {
    name_columns = std::max(name_columns, one.name.size());
  }
  const auto add_row = [&](const ClassCounts& row) {
    fmt::format_to(std::back_inserter(text), "{:{}} {:>9} {:>9} {:>9} {:>9} {:>9}\n", row.name,
                   name_columns, row.objects, row.images, row.small, row.medium, row.large);
  };
  fmt::format_to(std::back_inserter(text), "{:{}} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "class",
                 name_columns, "objects", "images", "small", "medium", "large");
  ClassCounts all{.name = "all", .images = stats.images - stats.images_without_objects};
  for (const ClassCounts& one : stats.classes) {
    add_row(one);
    all.objects += one.objects;
    all.small += one.small;
    all.medium += one.medium;
    all.large += one.large;
  }
  add_row(all);
  return text;
}

void write_stats_json(const std::string& path, const DatasetStats& stats) {
  AtomicFile file(path);
  JsonWriter json([&file](std::string_view text) { file.write(std::as_bytes(std::span(text))); });
  const auto histogram = [&](const char* key, const std::vector<HistogramBin>& bins) {
    json.key(key);
    json.begin_object();
    for (const HistogramBin& bin : bins) json.member(bin.name, bin.count);
    json.end_object();
  };
  json.begin_object();
  json.member("name", stats.name);
  json.member("fingerprint", stats.fingerprint);
  json.member("images", stats.images);
  json.member("images_without_objects", stats.images_without_objects);
  json.member("objects", stats.objects);
  json.member("crowds", stats.crowds);
  json.member("difficult", stats.difficult);
  json.member("most_objects", stats.most_objects);
  json.member("min_height", stats.min_height);
  json.member("max_height", stats.max_height);
  json.member("min_width", stats.min_width);
  json.member("max_width", stats.max_width);
  histogram("sides", stats.sides);
  histogram("objects_in_image", stats.objects_in_image);
  json.key("classes");
  json.begin_array(JsonWriter::Layout::kLinePerItem);
  for (const ClassCounts& one : stats.classes) {
    json.begin_object();
    json.member("name", one.name);
    json.member("objects", one.objects);
    json.member("images", one.images);
    json.member("small", one.small);
    json.member("medium", one.medium);
    json.member("large", one.large);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.finish();
  file.commit();
}

}  // namespace mrcnn

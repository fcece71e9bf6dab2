#include "tools/report/html/confusion_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tools/report/html/evaluation_tables.h"

namespace mrcnn {
namespace {

constexpr size_t kShownPairs = 20;

struct MixedUp {
  size_t truth;
  size_t found;
  int64_t count;
};

PageCell count_cell(int64_t count, int64_t of) {
  PageCell cell{.text = fmt::format("{}", count)};
  if (of > 0) cell.share = static_cast<double>(count) / static_cast<double>(of);
  return cell;
}

// Of the objects of a class, nothing found included.
int64_t num_objects(const ConfusionMatrix& confusion, size_t truth) {
  int64_t sum = 0;
  for (size_t found = 0; found <= confusion.categories().size(); ++found) {
    sum += confusion.count(truth, found);
  }
  return sum;
}

PageTable outcome_table(std::span<const DatasetClass> classes, const ConfusionMatrix& confusion) {
  PageTable table{.caption = "What became of the objects",
                  .columns = {"Class", "Objects", "Found", "As another class", "Not found",
                              "Found where nothing is"},
                  .rows = {}};
  const size_t nothing = confusion.categories().size();
  for (size_t k = 0; k < nothing; ++k) {
    const int64_t objects = num_objects(confusion, k);
    const int64_t right = confusion.count(k, k), missed = confusion.count(k, nothing);
    table.rows.push_back({{.text = class_name(classes, confusion.categories()[k])},
                          {.text = fmt::format("{}", objects)},
                          count_cell(right, objects),
                          count_cell(objects - right - missed, objects),
                          count_cell(missed, objects),
                          {.text = fmt::format("{}", confusion.count(nothing, k))}});
  }
  return table;
}

std::vector<MixedUp> mixed_up(const ConfusionMatrix& confusion) {
  std::vector<MixedUp> pairs;
  const size_t num_classes = confusion.categories().size();
  for (size_t truth = 0; truth < num_classes; ++truth) {
    for (size_t found = 0; found < num_classes; ++found) {
      const int64_t count = confusion.count(truth, found);
      if (truth != found && count > 0) pairs.push_back({truth, found, count});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const MixedUp& a, const MixedUp& b) { return a.count > b.count; });
  if (pairs.size() > kShownPairs) pairs.resize(kShownPairs);
  return pairs;
}

}  // namespace

void add_confusion(Page& page, std::span<const DatasetClass> classes,
                   const ConfusionMatrix& confusion) {
  page.section("Which class is taken for which");
  const ConfusionOptions& options = confusion.options();
  page.paragraph(fmt::format(
      "Detections with a score of {} or more, each at most once with the object that it overlaps "
      "most, from an IoU of {} on.",
      options.least_score, options.least_iou));
  page.table(outcome_table(classes, confusion));
  PageTable table{
      .caption = "Mixed up most", .columns = {"Object", "Found as", "Times"}, .rows = {}};
  for (const MixedUp& pair : mixed_up(confusion)) {
    table.rows.push_back(
        {{.text = class_name(classes, confusion.categories()[pair.truth])},
         {.text = class_name(classes, confusion.categories()[pair.found]), .words = true},
         count_cell(pair.count, num_objects(confusion, pair.truth))});
  }
  if (table.rows.empty()) {
    page.paragraph("No class is taken for another.");
  } else {
    page.table(table);
  }
}

}  // namespace mrcnn

#include "tools/dataset/check_report.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <span>
#include <vector>

#include "core/io/file.h"
#include "tools/report/json_writer.h"
#include "tools/report/utf8.h"

namespace mrcnn {
namespace {

constexpr std::array<Severity, 3> kSeverities = {Severity::kError, Severity::kWarning,
                                                 Severity::kInfo};

std::string plural(int64_t count, const std::string& one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::vector<std::vector<const Finding*>> group_by_kind(const DoctorReport& report) {
  std::vector<std::vector<const Finding*>> groups(kNumFindingKinds);
  for (const Finding& one : report.findings) {
    groups[static_cast<size_t>(one.kind)].push_back(&one);
  }
  return groups;
}

// "annotations[5] (id 7) of image 12, byte 3345: bbox: is 0 wide and 3 high"
std::string line_of(const Finding& finding) {
  std::string place(section_name(finding.section));
  if (finding.element >= 0) place += fmt::format("[{}]", finding.element);
  if (!finding.id.empty()) place += fmt::format(" (id {})", finding.id);
  if (!finding.image_id.empty()) place += fmt::format(" of image {}", finding.image_id);
  if (!finding.file_name.empty()) place += " " + finding.file_name;
  if (finding.byte >= 0) place += fmt::format("{}byte {}", place.empty() ? "" : ", ", finding.byte);
  if (!place.empty()) place += ": ";
  if (!finding.where.empty()) place += finding.where + ": ";
  return printable(place + finding.problem);
}

std::string totals(const DoctorReport& report) {
  return fmt::format("{}, {}, {}", plural(report.count(Severity::kError), "error"),
                     plural(report.count(Severity::kWarning), "warning"),
                     plural(report.count(Severity::kInfo), "note"));
}

void write_finding(JsonWriter& json, const Finding& finding) {
  const auto text = [&json](const char* key, std::string_view value) {
    if (value.empty()) return;
    json.member(key, value);
  };
  json.begin_object();
  const FindingFacts& facts = facts_of(finding.kind);
  text("kind", facts.name);
  text("severity", severity_name(facts.severity));
  text("section", section_name(finding.section));
  if (finding.element >= 0) {
    json.member("element", finding.element);
  }
  if (finding.byte >= 0) {
    json.member("byte", finding.byte);
  }
  text("id", finding.id);
  text("image_id", finding.image_id);
  text("file_name", finding.file_name);
  text("where", finding.where);
  text("problem", finding.problem);
  text("remedy", remedy_text(finding.remedy));
  json.end_object();
}

void write_counts(JsonWriter& json, const CleanedCounts& counts) {
  json.begin_object();
  json.member("images_kept", counts.images_kept);
  json.member("images_dropped", counts.images_dropped);
  json.member("categories_kept", counts.categories_kept);
  json.member("categories_dropped", counts.categories_dropped);
  json.member("annotations_kept", counts.annotations_kept);
  json.member("annotations_changed", counts.annotations_changed);
  json.member("annotations_dropped", counts.annotations_dropped);
  json.member("dropped_with_others", counts.dropped_with_others);
  json.end_object();
}

}  // namespace

std::string format_check_report(const DoctorReport& report, int64_t examples) {
  std::string text =
      fmt::format("{}: {}, {}, {}; {} looked at\n", printable(report.path),
                  plural(report.num_images, "image"), plural(report.num_annotations, "annotation"),
                  report.num_categories == 1 ? "1 category"
                                             : fmt::format("{} categories", report.num_categories),
                  plural(report.num_pictures, "picture"));
  const auto groups = group_by_kind(report);
  for (const Severity severity : kSeverities) {
    for (size_t k = 0; k < groups.size(); ++k) {
      const FindingFacts& facts = facts_of(static_cast<FindingKind>(k));
      if (facts.severity != severity || groups[k].empty()) continue;
      fmt::format_to(std::back_inserter(text), "\n{} {}: {}\n  {}\n", severity_name(severity),
                     facts.name, groups[k].size(), facts.meaning);
      int64_t shown = 0;
      for (const Finding* one : groups[k]) {
        if (examples > 0 && shown == examples) break;
        text += "    " + line_of(*one) + "\n";
        ++shown;
      }
      const auto left = static_cast<int64_t>(groups[k].size()) - shown;
      if (left > 0) fmt::format_to(std::back_inserter(text), "    and {} more\n", left);
    }
  }
  return text + (report.findings.empty() ? "" : "\n") + totals(report) + "\n";
}

int64_t count_left(const DoctorReport& report, Severity severity) {
  int64_t count = 0;
  for (const Finding& one : report.findings) {
    const bool is_left = one.remedy == Remedy::kLeft;
    if (is_left && facts_of(one.kind).severity == severity) ++count;
  }
  return count;
}

std::string format_cleaned(const DoctorReport& report, const CleanedCounts& counts,
                           const std::string& out_path) {
  std::string text = fmt::format(
      "\nwrote {}: {} of {}, {} of {} ({} changed), {} of {} categories\n", printable(out_path),
      counts.images_kept, plural(counts.images_kept + counts.images_dropped, "image"),
      counts.annotations_kept,
      plural(counts.annotations_kept + counts.annotations_dropped, "annotation"),
      counts.annotations_changed, counts.categories_kept,
      counts.categories_kept + counts.categories_dropped);
  if (counts.dropped_with_others > 0) {
    fmt::format_to(std::back_inserter(text),
                   "  {} dropped because their image or category was, or because they repeat "
                   "another\n",
                   plural(counts.dropped_with_others, "annotation"));
  }
  std::vector<std::array<int64_t, kNumRemedies>> by_kind(kNumFindingKinds);
  for (const Finding& one : report.findings) {
    ++by_kind[static_cast<size_t>(one.kind)][static_cast<size_t>(one.remedy)];
  }
  for (size_t k = 0; k < by_kind.size(); ++k) {
    for (size_t r = 0; r < kNumRemedies; ++r) {
      if (by_kind[k][r] == 0) continue;
      fmt::format_to(std::back_inserter(text), "  {:<26}{:>8}  {}\n",
                     facts_of(static_cast<FindingKind>(k)).name, by_kind[k][r],
                     remedy_text(static_cast<Remedy>(r)));
    }
  }
  return text + fmt::format("left: {}, {}, {}\n",
                            plural(count_left(report, Severity::kError), "error"),
                            plural(count_left(report, Severity::kWarning), "warning"),
                            plural(count_left(report, Severity::kInfo), "note"));
}

void write_check_json(const std::string& path, const DoctorReport& report,
                      const std::optional<CleanedCounts>& cleaned) {
  AtomicFile file(path);
  JsonWriter json([&file](std::string_view text) { file.write(std::as_bytes(std::span(text))); });
  json.begin_object();
  json.member("path", report.path);
  json.member("readable", report.readable);
  json.member("images", report.num_images);
  json.member("annotations", report.num_annotations);
  json.member("categories", report.num_categories);
  json.member("pictures", report.num_pictures);
  json.member("errors", report.count(Severity::kError));
  json.member("warnings", report.count(Severity::kWarning));
  json.member("notes", report.count(Severity::kInfo));
  json.key("kinds");
  json.begin_array(JsonWriter::Layout::kLinePerItem);
  const auto groups = group_by_kind(report);
  for (size_t k = 0; k < groups.size(); ++k) {
    if (groups[k].empty()) continue;
    const FindingFacts& facts = facts_of(static_cast<FindingKind>(k));
    json.begin_object();
    json.member("kind", facts.name);
    json.member("severity", severity_name(facts.severity));
    json.member("count", static_cast<int64_t>(groups[k].size()));
    json.member("meaning", facts.meaning);
    json.end_object();
  }
  json.end_array();
  json.key("findings");
  json.begin_array(JsonWriter::Layout::kLinePerItem);
  for (const Finding& one : report.findings) write_finding(json, one);
  json.end_array();
  if (cleaned) {
    json.key("cleaned");
    write_counts(json, *cleaned);
  }
  json.end_object();
  json.finish();
  file.commit();
}

}  // namespace mrcnn

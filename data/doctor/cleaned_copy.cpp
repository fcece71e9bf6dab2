#include "data/doctor/cleaned_copy.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <filesystem>
#include <memory>
#include <span>

#include "core/error.h"
#include "core/io/file.h"
#include "data/coco/parse_pieces.h"
#include "data/coco/source_file.h"
#include "data/doctor/annotation_check.h"
#include "data/doctor/lenient_json.h"

namespace mrcnn {
namespace {

namespace dom = simdjson::dom;

struct CleanedPiece {
  std::string section;
  bool is_array = false;
  bool is_first = false;
  std::string text;  // elements, separated by commas
  CleanedCounts counts;
};

using RowByByte = std::unordered_map<int64_t, const CatalogRow*>;

RowByByte index_rows(const std::vector<CatalogRow>& rows) {
  RowByByte index;
  for (const CatalogRow& row : rows) index[row.byte] = &row;
  return index;
}

// Elements as the copy has them; used by all threads at once.
class Cleaner {
 public:
  explicit Cleaner(const DoctorPlan& plan)
      : plan_(plan),
        images_(index_rows(plan.catalog.images())),
        categories_(index_rows(plan.catalog.categories())) {}

  CleanedPiece clean(const JsonPiece& piece, LenientParser& parser) const {
    CleanedPiece cleaned{.section = piece.section,
                         .is_array = piece.is_array,
                         .is_first = piece.is_first,
                         .text = {},
                         .counts = {}};
    const bool is_image = piece.section == section_name(Section::kImages);
    const bool is_category = piece.section == section_name(Section::kCategories);
    if (!is_image && !is_category && piece.section != section_name(Section::kAnnotations)) {
      cleaned.text.assign(piece.text.data() + 1, piece.size - 2);
      return cleaned;
    }
    std::vector<Finding> findings;
    for (const JsonElement& span : split_elements(piece)) {
      if (!span.problem.empty()) continue;
      findings.clear();
      Repair repair;
      const Section section = is_image      ? Section::kImages
                              : is_category ? Section::kCategories
                                            : Section::kAnnotations;
      const std::optional<dom::object> object =
          parse_object(piece, span, section, 0, parser, findings);
      repair.drop = !object.has_value();
      if (object) decide(*object, section, span.byte, findings, repair);
      repair.rewrite |= parser.replaced_tokens();
      count(section, repair, findings.empty(), cleaned.counts);
      if (repair.drop) continue;
      cleaned.text += cleaned.text.empty() ? "\n" : ",\n";
      if (repair.changes()) {
        cleaned.text += rewrite_element(*object, repair, parser.replaced_tokens());
      } else {
        cleaned.text.append(piece.text.data() + span.begin, span.end - span.begin);
      }
    }
    return cleaned;
  }

 private:
  void decide(const dom::object& object, Section section, int64_t byte,
              std::vector<Finding>& findings, Repair& repair) const {
    Element element(section, 0, byte, object, findings, repair);
    if (section == Section::kAnnotations) {
      decide_annotation(element, byte);
      return;
    }
    Catalog scratch;
    const bool is_image = section == Section::kImages;
    if (is_image) {
      scratch.add_image(element, 0, byte);
    } else {
      scratch.add_category(element, 0, byte);
    }
    const RowByByte& rows = is_image ? images_ : categories_;
    const auto row = rows.find(byte);
    if (row == rows.end() || row->second->dropped) {
      repair.drop = true;
    } else if (row->second->kept_id != row->second->id) {
      repair.fields["id"] = std::to_string(row->second->kept_id);
    }
  }

  void decide_annotation(Element& element, int64_t byte) const {
    const AnnotationRow row = check_annotation(element, plan_.catalog);
    if (plan_.dropped.contains(byte)) element.drop();
    if (plan_.has_masks && !row.states_mask) {
      element.report(FindingKind::kSegmentationEmpty, "segmentation", "is missing or empty",
                     Remedy::kDropped);
    }
    const auto id = plan_.new_ids.find(byte);
    if (id != plan_.new_ids.end()) element.repair().fields["id"] = std::to_string(id->second);
  }

  static void count(Section section, const Repair& repair, bool was_fine, CleanedCounts& counts) {
    if (section == Section::kImages) {
      ++(repair.drop ? counts.images_dropped : counts.images_kept);
    } else if (section == Section::kCategories) {
      ++(repair.drop ? counts.categories_dropped : counts.categories_kept);
    } else {
      ++(repair.drop ? counts.annotations_dropped : counts.annotations_kept);
      if (!repair.drop && repair.changes()) ++counts.annotations_changed;
      if (repair.drop && was_fine) ++counts.dropped_with_others;
    }
  }

  const DoctorPlan& plan_;
  RowByByte images_;
  RowByByte categories_;
};

void add(CleanedCounts& sum, const CleanedCounts& piece) {
  sum.images_kept += piece.images_kept;
  sum.images_dropped += piece.images_dropped;
  sum.categories_kept += piece.categories_kept;
  sum.categories_dropped += piece.categories_dropped;
  sum.annotations_kept += piece.annotations_kept;
  sum.annotations_changed += piece.annotations_changed;
  sum.annotations_dropped += piece.annotations_dropped;
  sum.dropped_with_others += piece.dropped_with_others;
}

// Puts pieces together again: keys, brackets and the commas between.
class CopyWriter {
 public:
  explicit CopyWriter(AtomicFile& file) : file_(file) {}

  void add(const CleanedPiece& piece) {
    if (piece.is_first) {
      close_section();
      write(any_section_ ? ",\n" : "{");
      write(fmt::format("\"{}\":{}", piece.section, piece.is_array ? "[" : ""));
      any_section_ = true;
      in_array_ = piece.is_array;
      any_element_ = false;
    }
    if (piece.text.empty()) return;
    if (any_element_) write(",");
    write(piece.text);
    any_element_ = true;
  }

  void finish() {
    close_section();
    write(any_section_ ? "}\n" : "{}\n");
  }

 private:
  void close_section() {
    if (in_array_) write("\n]");
    in_array_ = false;
  }
  void write(std::string_view text) { file_.write(std::as_bytes(std::span(text))); }

  AtomicFile& file_;
  bool any_section_ = false;
  bool in_array_ = false;
  bool any_element_ = false;
};

}  // namespace

CleanedCounts write_cleaned(const std::string& annotations_path, const Diagnosis& diagnosis,
                            const std::string& out_path) {
  std::error_code ignored;
  if (std::filesystem::equivalent(annotations_path, out_path, ignored)) {
    throw UsageError(out_path + " is the file that is read: write the cleaned copy elsewhere");
  }
  if (!diagnosis.report.readable) {
    throw FileError(ExitCode::kData, annotations_path, "",
                    "cannot be cleaned, because its text is not whole");
  }
  SourceFile source(annotations_path);
  JsonSections sections(source);
  AtomicFile file(out_path);
  CopyWriter writer(file);
  const Cleaner cleaner(diagnosis.plan);
  CleanedCounts counts;
  const auto make_cleaner = [&cleaner] {
    return [&cleaner, parser = std::make_shared<LenientParser>()](const JsonPiece& piece) {
      return cleaner.clean(piece, *parser);
    };
  };
  parse_pieces<CleanedPiece>(sections, make_cleaner, [&](CleanedPiece&& piece) {
    if (diagnosis.plan.broken_sections.contains(piece.section)) return;
    writer.add(piece);
    add(counts, piece.counts);
  });
  writer.finish();
  source.check_unchanged();
  file.commit();
  return counts;
}

}  // namespace mrcnn

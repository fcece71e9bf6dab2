#include "data/doctor/doctor.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <set>

#include "core/error.h"
#include "data/coco/parse_pieces.h"
#include "data/coco/source_file.h"
#include "data/doctor/annotation_check.h"
#include "data/doctor/annotation_table.h"
#include "data/doctor/lenient_json.h"
#include "data/doctor/picture_check.h"

namespace mrcnn {
namespace {

namespace dom = simdjson::dom;

constexpr std::array<Section, 3> kSections = {Section::kImages, Section::kAnnotations,
                                              Section::kCategories};

Section section_of(const std::string& name) {
  for (const Section section : kSections) {
    if (name == section_name(section)) return section;
  }
  return Section::kFile;
}

class Doctor {
 public:
  Doctor(const std::string& path, const DoctorOptions& options) : file_(path), options_(options) {
    diagnosis_.report.path = path;
  }

  Diagnosis run() && {
    read_catalog();
    Catalog& catalog = diagnosis_.plan.catalog;
    if (!diagnosis_.report.readable) catalog.mark_incomplete();
    catalog.finish(diagnosis_.report.findings);
    if (!options_.image_directory.empty()) {
      diagnosis_.report.num_pictures =
          check_pictures(catalog, options_.image_directory, diagnosis_.report.findings);
    }
    read_annotations();
    if (diagnosis_.report.readable) find_unused();
    sort_findings();
    file_.check_unchanged();
    return std::move(diagnosis_);
  }

 private:
  std::vector<Finding>& findings() { return diagnosis_.report.findings; }

  void report_file(FindingKind kind, int64_t byte, const std::string& where,
                   const std::string& problem, Remedy remedy) {
    Finding finding = finding_at(Section::kFile, -1, byte, kind, problem, remedy);
    finding.where = where;
    findings().push_back(std::move(finding));
  }

  // The text as a whole is wrong from some byte on.
  void report_broken(const FileError& error) {
    if (error.exit_code() != ExitCode::kData) throw error;
    std::string text = error.what();
    const std::string prefix = error.path() + ": ";
    if (text.starts_with(prefix)) text = text.substr(prefix.size());
    report_file(FindingKind::kInvalidJson, -1, "", text + "; what follows was not checked",
                Remedy::kLeft);
    diagnosis_.report.readable = false;
  }

  void read_catalog() {
    try {
      JsonSections sections(file_);
      JsonPiece piece;
      while (sections.next(piece)) {
        const Section section = section_of(piece.section);
        if (piece.is_first) note_section(piece, section);
        if (section == Section::kFile) {
          check_other(piece);
        } else if (section != Section::kAnnotations && piece.is_array) {
          read_catalog_piece(piece, section);
        }
      }
      for (const Section section : kSections) {
        const std::string name(section_name(section));
        if (seen_.contains(name)) continue;
        report_file(FindingKind::kMissingSection, -1, "",
                    fmt::format("has no \"{}\": it is not a file of instances", name),
                    Remedy::kLeft);
        diagnosis_.report.readable = false;
      }
    } catch (const FileError& error) {
      report_broken(error);
    }
  }

  void note_section(const JsonPiece& piece, Section section) {
    const bool is_new = seen_.insert(piece.section).second;
    if (section == Section::kFile) return;
    if (!is_new) {
      report_file(FindingKind::kDuplicateKey, piece.begin, piece.section, "appears twice",
                  Remedy::kLeft);
      diagnosis_.report.readable = false;
    }
    if (!piece.is_array) {
      report_file(FindingKind::kWrongType, piece.begin, piece.section, "is not a list",
                  Remedy::kLeft);
      diagnosis_.report.readable = false;
    }
  }

  void check_other(const JsonPiece& piece) {
    dom::element ignored;
    std::string problem;
    const bool valid = parser_.parse(piece.text.data(), piece.size, ignored, problem) &&
                       !parser_.replaced_tokens();
    if (valid || !diagnosis_.plan.broken_sections.insert(piece.section).second) return;
    report_file(FindingKind::kInvalidJson, piece.begin, piece.section, problem, Remedy::kDropped);
  }

  void read_catalog_piece(const JsonPiece& piece, Section section) {
    DoctorReport& report = diagnosis_.report;
    int64_t& count = section == Section::kImages ? report.num_images : report.num_categories;
    for (const JsonElement& span : split_elements(piece)) {
      Repair repair;
      if (const auto object = parse_object(piece, span, section, count, parser_, findings())) {
        Element element(section, count, span.byte, *object, findings(), repair);
        Catalog& catalog = diagnosis_.plan.catalog;
        if (section == Section::kImages) {
          catalog.add_image(element, count, span.byte);
        } else {
          catalog.add_category(element, count, span.byte);
        }
      }
      if (span.problem.empty()) ++count;
    }
  }

  static CheckedPiece check_piece(const JsonPiece& piece, const Catalog& catalog,
                                  LenientParser& parser) {
    CheckedPiece result;
    if (section_of(piece.section) != Section::kAnnotations || !piece.is_array) return result;
    for (const JsonElement& span : split_elements(piece)) {
      const auto index = static_cast<int64_t>(result.rows.size());
      const std::optional<dom::object> object =
          parse_object(piece, span, Section::kAnnotations, index, parser, result.findings);
      if (!span.problem.empty()) continue;
      AnnotationRow row;
      if (object) {
        Repair repair;
        Element element(Section::kAnnotations, index, span.byte, *object, result.findings, repair);
        row = check_annotation(element, catalog);
        row.is_object = true;
      }
      row.byte = span.byte;
      result.rows.push_back(row);
    }
    return result;
  }

  void read_annotations() {
    file_.rewind();
    JsonSections sections(file_);
    AnnotationTable table;
    const auto make_check = [&catalog = diagnosis_.plan.catalog] {
      return [&catalog, parser = std::make_shared<LenientParser>()](const JsonPiece& piece) {
        return check_piece(piece, catalog, *parser);
      };
    };
    try {
      parse_pieces<CheckedPiece>(sections, make_check, [&](CheckedPiece&& piece) {
        table.add(std::move(piece), findings());
      });
    } catch (const FileError& error) {
      // Reported when the catalog was read.
      if (diagnosis_.report.readable) report_broken(error);
    }
    diagnosis_.report.num_annotations = table.size();
    table.finish(diagnosis_.plan, findings());
  }

  void find_unused() {
    const auto look = [this](const std::vector<CatalogRow>& rows, Section section, FindingKind kind,
                             const char* problem) {
      for (const CatalogRow& row : rows) {
        if (row.num_annotations > 0 || row.dropped) continue;
        Finding finding = finding_at(section, row.element, row.byte, kind, problem, Remedy::kLeft);
        finding.id = std::to_string(row.id);
        if (section == Section::kImages) finding.file_name = row.name;
        findings().push_back(std::move(finding));
      }
    };
    look(diagnosis_.plan.catalog.images(), Section::kImages, FindingKind::kImageWithoutAnnotations,
         "has no annotation");
    look(diagnosis_.plan.catalog.categories(), Section::kCategories, FindingKind::kUnusedCategory,
         "has no annotation");
  }

  void sort_findings() {
    std::stable_sort(findings().begin(), findings().end(),
                     [](const Finding& a, const Finding& b) { return a.byte < b.byte; });
  }

  SourceFile file_;
  const DoctorOptions& options_;
  Diagnosis diagnosis_;
  LenientParser parser_;
  std::set<std::string> seen_;
};

}  // namespace

int64_t DoctorReport::count(Severity severity) const {
  return std::count_if(findings.begin(), findings.end(), [severity](const Finding& finding) {
    return facts_of(finding.kind).severity == severity;
  });
}

Diagnosis diagnose(const std::string& annotations_path, const DoctorOptions& options) {
  return Doctor(annotations_path, options).run();
}

}  // namespace mrcnn

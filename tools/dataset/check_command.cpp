#include "tools/dataset/check_command.h"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/error.h"
#include "data/coco/layout.h"
#include "tools/dataset/check_report.h"
#include "tools/option_checks.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

struct CheckOptions {
  std::string path;
  std::string split = "train";
  std::string images;
  bool no_images = false;
  std::string fix;
  std::string json;
  int64_t show = 5;
  bool strict = false;
};

// The annotation file, and the folder of its pictures, "" if they are not looked at.
CocoLayout find_files(const CheckOptions& options) {
  std::error_code ignored;
  CocoLayout files{.annotations = options.path, .images = options.images};
  if (fs::is_directory(options.path, ignored)) {
    const CocoLayout found = find_coco_layout(options.path, options.split);
    files.annotations = found.annotations;
    if (options.images.empty()) files.images = found.images;
  } else if (options.images.empty() && !options.no_images) {
    throw UsageError("--images DIR is required, or --no-images to leave the pictures out");
  }
  if (options.no_images) return {.annotations = files.annotations, .images = ""};
  if (!fs::is_directory(files.images, ignored)) {
    throw FileError(ExitCode::kData, files.images, "", "is no folder of pictures");
  }
  return files;
}

void check_output(const char* flag, const std::string& path, const std::string& input) {
  std::error_code ignored;
  if (path.empty() || !fs::equivalent(path, input, ignored)) return;
  throw UsageError(fmt::format("{} would replace {}, which this run reads", flag, input));
}

int check(const CheckOptions& options) {
  const CocoLayout files = find_files(options);
  check_output("--fix", options.fix, files.annotations);
  check_output("--json", options.json, files.annotations);
  if (!options.fix.empty() && options.fix == options.json) {
    throw UsageError("--fix and --json name one file");
  }
  const Diagnosis diagnosis = diagnose(files.annotations, {.image_directory = files.images});
  const DoctorReport& report = diagnosis.report;
  fmt::print("{}", format_check_report(report, options.show));
  std::optional<CleanedCounts> cleaned;
  const bool can_clean = !options.fix.empty() && report.readable;
  if (can_clean) {
    cleaned = write_cleaned(files.annotations, diagnosis, options.fix);
    fmt::print("{}", format_cleaned(report, *cleaned, options.fix));
  }
  if (!options.json.empty()) write_check_json(options.json, report, cleaned);
  const auto count = [&](Severity severity) {
    return cleaned ? count_left(report, severity) : report.count(severity);
  };
  const int64_t errors = count(Severity::kError);
  const int64_t warnings = count(Severity::kWarning);
  if (errors == 0 && (warnings == 0 || !options.strict)) return 0;
  std::fflush(stdout);
  throw Error(ExitCode::kData,
              fmt::format("{}: errors: {}, warnings: {}{}{}", files.annotations, errors, warnings,
                          cleaned ? " are left in the copy" : "",
                          options.fix.empty() || can_clean
                              ? ""
                              : "; no copy was written, because its text is not whole"));
}

}  // namespace

DatasetCommand add_check_command(CLI::App& app) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App* sub =
      app.add_subcommand("check",
                         "Finds everything that is wrong with a COCO data set, in one run:\n"
                         "text, ids, boxes, areas, masks and pictures. Ends with 3 if\n"
                         "there are errors. docs/datasets.md lists the kinds.");
  sub->add_option("path", options->path, "Annotation file, or folder of a COCO data set")
      ->required();
  sub->add_option("--split", options->split, "Which part of a folder")->capture_default_str();
  CLI::Option* images =
      sub->add_option("--images", options->images, "Folder that file names start from");
  sub->add_flag("--no-images", options->no_images, "Do not open the pictures")->excludes(images);
  sub->add_option("--fix", options->fix,
                  "Write a cleaned copy of the annotations: what is certain\n"
                  "is repaired, what cannot be kept is dropped, and both are\n"
                  "told. Ends with 3 only if errors are left");
  sub->add_option("--json", options->json, "Write all findings as JSON");
  sub->add_option("--show", options->show, "Most findings of a kind to print; 0: all")
      ->check(whole_number_between(0, 1'000'000'000))
      ->capture_default_str();
  sub->add_flag("--strict", options->strict, "Warnings count as errors");
  return {sub, [options] { return check(*options); }};
}

}  // namespace mrcnn

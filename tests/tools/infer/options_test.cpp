#include "tools/infer/options.h"

#include <doctest/doctest.h>

#include <sstream>

#include "core/error.h"
#include "tools/report/utf8.h"

using namespace mrcnn;

namespace {

InferOptions parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "infer");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  const auto parsed = parse_infer_options(static_cast<int>(argv.size()), argv.data());
  return std::get<InferOptions>(parsed);
}

std::string problem(std::vector<std::string> arguments) {
  try {
    parse(std::move(arguments));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("RejectsWrongFlagsAndNamesTheNearest") {
  CHECK(contains(problem({"--scroe", "0.5", "a.jpg"}), "'--scroe'; did you mean '--score'?"));
  CHECK(contains(problem({"--max-detection=3", "a.jpg"}), "did you mean '--max-detections'?"));
  CHECK(contains(problem({"--zzzzzzzz", "a.jpg"}), "'--zzzzzzzz'"));
  CHECK(contains(problem({"--weights"}), "--weights"));
  CHECK(contains(problem({"--weights", ""}), "--weights: the value is empty"));
  CHECK(contains(problem({"--model", "maskrcnn_resnet50_fnp", "a.jpg"}),
                 "did you mean 'maskrcnn_resnet50_fpn'?"));
  CHECK(contains(problem({"--exif", "aply", "a.jpg"}), "did you mean 'apply'?"));
  CHECK(contains(problem({"--progress", "never", "a.jpg"}), "'never' is not one of auto, on, off"));
}

TEST_CASE("RejectsNumbersOutOfRange") {
  CHECK(
      contains(problem({"--score", "1.5", "a.jpg"}), "--score: '1.5' is not a number from 0 to 1"));
  for (const char* bad : {"nan", "inf", "-0.1", "", "0.5x", "1e999", "0,5", " 0.5"}) {
    CHECK(contains(problem({"--nms", bad, "a.jpg"}), "is not a number from 0 to 1"));
  }
  CHECK(contains(problem({"--batch", "0", "a.jpg"}), "'0' is not a whole number from 1 to 256"));
  for (const char* bad : {"-1", "2.5", "999999999999999999999", "0x10", "one"}) {
    CHECK(contains(problem({"--threads", bad, "a.jpg"}), "is not a whole number from 1 to 1024"));
    CHECK(contains(problem({"--max-detections", bad, "a.jpg"}), "is not a whole number"));
  }
}

TEST_CASE("RejectsIncompleteRequests") {
  CHECK(contains(problem({"--weights", "w.pth"}), "no images given"));
  CHECK(contains(problem({"a.jpg"}), "--weights is missing"));
  CHECK(contains(problem({"--weights", "w", "--polygons", "a.jpg"}), "give --json FILE too"));
}

TEST_CASE("ReadsEveryOption") {
  const InferOptions options = parse({"--weights",
                                      "w.pth",
                                      "--model=maskrcnn_resnet50_fpn",
                                      "--device",
                                      "cpu",
                                      "--score",
                                      "0.25",
                                      "--nms",
                                      "1",
                                      "--max-detections",
                                      "7",
                                      "--classes",
                                      "dog,cat",
                                      "--batch",
                                      "2",
                                      "--threads",
                                      "3",
                                      "--json",
                                      "-",
                                      "--overlay",
                                      "o",
                                      "--masks",
                                      "m",
                                      "--polygons",
                                      "--exif",
                                      "ignore",
                                      "--compat",
                                      "--strict",
                                      "-q",
                                      "--progress",
                                      "on",
                                      "--list",
                                      "l.txt",
                                      "a.jpg",
                                      "-"});
  CHECK(options.inputs == std::vector<std::string>{"a.jpg", "-", "@l.txt"});
  CHECK(options.weights == "w.pth");
  CHECK(options.model == "maskrcnn_resnet50_fpn");
  CHECK(options.device == "cpu");
  CHECK(options.score == 0.25F);
  CHECK(options.nms == 1.0);
  CHECK(options.max_detections == 7);
  CHECK(options.classes == "dog,cat");
  CHECK(options.batch == 2);
  CHECK(options.threads == 3);
  CHECK(options.json == "-");
  CHECK(options.overlay_dir == "o");
  CHECK(options.masks_dir == "m");
  CHECK(options.polygons);
  CHECK(options.exif == ExifPolicy::kIgnore);
  CHECK(options.compat);
  CHECK(options.strict);
  CHECK(options.quiet);
  CHECK(options.progress == ProgressMode::kOn);
}

TEST_CASE("TheLaterOfTwoWins") {
  const InferOptions options =
      parse({"--score", "0.1", "a.jpg", "--weights", "w", "--score=0.2", "b.jpg", "--weights=v"});
  CHECK(options.score == 0.2F);
  CHECK(options.weights == "v");
  CHECK(options.inputs == std::vector<std::string>{"a.jpg", "b.jpg"});
}

TEST_CASE("LeavesTheModelsDefaultsAlone") {
  const InferOptions options = parse({"--weights", "w.pth", "--", "-odd.jpg"});
  CHECK(options.inputs == std::vector<std::string>{"-odd.jpg"});
  CHECK_FALSE(options.score);
  CHECK_FALSE(options.nms);
  CHECK_FALSE(options.max_detections);
  CHECK(options.exif == ExifPolicy::kApply);
  CHECK(options.progress == ProgressMode::kAuto);
}

TEST_CASE("TheHelpSpeaksOfEveryOptionInLinesOfAHundredColumns") {
  const std::string help = infer_help();
  for (const std::string& name : infer_option_names()) {
    CAPTURE(name);
    CHECK((contains(help, "\n  " + name + " ") || contains(help, ", " + name + " ")));
  }
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(count_code_points(line) <= 100);
  }
  CHECK(help.find("Examples") < help.find("Usage"));
  CHECK(contains(help, "maskrcnn_resnet50_fpn    --score 0.05 --nms 0.5 --max-detections 100"));
  CHECK(contains(help, "Exit codes"));
}

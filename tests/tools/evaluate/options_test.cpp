#include "tools/evaluate/options.h"

#include <doctest/doctest.h>

#include <sstream>

#include "core/error.h"

namespace mrcnn {
namespace {

EvaluateOptions parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "evaluate");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return std::get<EvaluateOptions>(
      parse_evaluate_options(static_cast<int>(argv.size()), argv.data()));
}

void check_refused(std::vector<std::string> arguments, const std::string& message) {
  CHECK_THROWS_WITH_AS(parse(std::move(arguments)), doctest::Contains(message.c_str()), UsageError);
}

TEST_CASE("Takes results and ground truth") {
  const EvaluateOptions options =
      parse({"--results", "r.json", "--ground-truth", "gt.json", "--iou-type", "segm"});
  CHECK(options.results == "r.json");
  CHECK(options.ground_truth == "gt.json");
  CHECK(options.wants("segm"));
  CHECK_FALSE(options.wants("bbox"));
  CHECK(parse({"--results", "r", "--data", "d", "--iou-type=bbox,segm"}).iou_types.size() == 2);
}

TEST_CASE("Takes weights and data, or two files of results") {
  const EvaluateOptions weights = parse({"--weights", "w.pth", "--data", "coco", "--split",
                                         "val2017", "--batch", "4", "--score", "0.1", "--precision",
                                         "bf16", "--results-out", "r.json", "--bootstrap", "100"});
  CHECK(weights.what == EvaluateWhat::kWeights);
  CHECK(weights.split == "val2017");
  CHECK(weights.batch == 4);
  CHECK(weights.score == 0.1F);
  CHECK(weights.precision == Precision::kBf16);
  CHECK(weights.bootstrap == 100);
  CHECK(parse({"--weights", "w", "--ground-truth", "g", "--images", "i"}).images == "i");
  const EvaluateOptions both = parse({"--compare", "a", "b", "--ground-truth", "g", "--seed", "3"});
  CHECK(both.what == EvaluateWhat::kComparison);
  CHECK(both.compare == std::vector<std::string>{"a", "b"});
  CHECK(both.bootstrap == 1000);
  CHECK(both.seed == 3);
}

TEST_CASE("Refuses what does not go together") {
  check_refused({"--ground-truth", "gt.json"}, "nothing to evaluate");
  check_refused({"--results", "r.json"}, "nothing to compare with");
  check_refused({"--results", "r", "--weights", "w", "--data", "d"}, "only one can be given");
  check_refused({"--results", "r", "--ground-truth", "g", "--data", "d"}, "give one");
  check_refused({"--weights", "w", "--ground-truth", "g"}, "the model needs pictures");
  check_refused({"--weights", "w", "--data", "d", "--images", "i"}, "--images is for");
  check_refused({"--results", "r", "--data", "d", "--batch", "2"},
                "--batch has no effect without --weights");
  check_refused({"--weights", "w", "--data", "d", "--skip-unknown"}, "no effect with --weights");
  check_refused({"--compare", "a", "b", "--data", "d", "--per-class"}, "no effect with --compare");
  check_refused({"--compare", "a", "--data", "d"}, "--compare");
  check_refused({"--compare", "a", "b", "--data", "d", "--html", "p"}, "no effect with --compare");
  check_refused({"--results", "r", "--data", "d", "--html", "-"}, "wants a file");
  check_refused({"--results", "r", "--data", "d", "--html", "x", "--csv", "x"}, "one file: x");
  check_refused({"--results", "r", "--ground-truth", "g", "--images", "i"},
                "--images has no effect without --weights or --html");
  CHECK(parse({"--results", "r", "--ground-truth", "g", "--images", "i", "--html", "p"}).html ==
        "p");
  check_refused({"--results", "r", "--data", "d", "--json", "-", "--csv", "-"}, "standard output");
  check_refused({"--results", "r", "--data", "d", "--json", "x", "--csv", "x"}, "one file: x");
  check_refused({"--results", "r", "--data", "d", "--json", "r"}, "would replace an input");
  check_refused({"--compare", "a", "b", "--data", "d", "--csv", "b"}, "would replace an input");
}

TEST_CASE("Refuses values that cannot be") {
  const auto with = [](const char* name, const char* value) {
    return std::vector<std::string>{"--weights", "w", "--data", "d", name, value};
  };
  check_refused(with("--iou-type", "box"), "did you mean 'bbox'?");
  check_refused(with("--threads", "0"), "whole number from 1 to");
  check_refused(with("--bootstrap", "0"), "whole number from 1 to");
  check_refused(with("--score", "nan"), "'nan' is not a number from 0 to 1");
  check_refused(with("--precision", "fp16"), "'fp16'");
  check_refused(with("--split", ""), "--split: the value is empty");
}

TEST_CASE("The help speaks of every option") {
  const std::string help = evaluate_help();
  for (const std::string& name : evaluate_option_names()) {
    CAPTURE(name);
    CHECK(help.find(name) != std::string::npos);
  }
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 100);
}

}  // namespace
}  // namespace mrcnn

#include "tools/trainer/original_report.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

const CudaProperties kGpu{
    .name = "GPU", .major = 8, .minor = 0, .memory_bytes = int64_t{40} << 30, .sm_count = 108};
const std::map<std::string, double> kMetrics{{"box_ap", 0.5}, {"mask_ap", 0.25}};

struct Reported {
  test::TemporaryDirectory folder;
  std::string text;
  std::vector<std::string> said;
  OriginalReport report;

  explicit Reported(std::vector<CudaProperties> gpus = {})
      : report({.write = [this](std::string_view piece) { text += piece; },
                .log_every = 100,
                .gpu_info_path = folder / "gpu_info.json",
                .gpus = std::move(gpus),
                .say = [this](const std::string& line) { said.push_back(line); }}) {}

  // Two steps of two images each: 4 s from 100 s on, of which 1 s is waiting; 5 images evaluated
  // in 2 s.
  void epoch(bool evaluate) {
    report.begin_epoch(100, 3, 0.01, 1);
    report.step(2, 1.0, {.model_s = 0.4, .backward_s = 0.3});
    report.step(2, 2.0, {.model_s = 0.8, .backward_s = 0.9});
    report.end_training(104);
    if (evaluate) report.evaluated(5, 2, kMetrics);
    report.end_epoch(107);
  }
  bool recorded() const { return std::filesystem::exists(folder / "gpu_info.json"); }
};

TEST_CASE("An epoch tells its times, a step each, then its length and results") {
  Reported reported;
  reported.epoch(true);
  CHECK(reported.text ==
        "\nepoch: 3\nlr_epoch: 0.01000, factor: 1.00000\n"
        "iter: 2000.0, total: 1500.0, model: 600.0, backward: 600.0\n"
        "training: 4.0 s, evaluation: 3.0 s\n"
        "{'bbox AP': 50.0, 'mask AP': 25.0}\n");
  CHECK_FALSE(reported.recorded());  // no GPU
}

TEST_CASE("Nothing of an epoch is told in the next one") {
  Reported reported;
  reported.epoch(true);
  reported.text.clear();
  reported.epoch(false);
  CHECK(reported.text.find("iter: 2000.0, total: 1500.0") != std::string::npos);
  CHECK(reported.text.find("AP") == std::string::npos);
}

TEST_CASE("An epoch without a step has no times") {
  Reported reported;
  reported.report.begin_epoch(1, 0, 1, 1);
  reported.report.end_training(1);
  reported.report.end_epoch(1);
  CHECK(reported.text.find("iter") == std::string::npos);
}

TEST_CASE("A GPU's images per second are recorded with every evaluation") {
  Reported reported({kGpu});
  reported.epoch(false);
  CHECK_FALSE(reported.recorded());
  reported.epoch(true);
  const std::string path = reported.folder / "gpu_info.json";
  CHECK(test::read_text(path).find(R"("1":{"maskrcnn":[[1,2.5]]})") != std::string::npos);
  CHECK(reported.said.empty());
  reported.folder.write("gpu_info.json", "something else");
  reported.epoch(true);
  REQUIRE(reported.said.size() == 1);
  CHECK(reported.said[0].starts_with(path));
}

}  // namespace
}  // namespace mrcnn

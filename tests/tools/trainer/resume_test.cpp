#include "tools/trainer/resume.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/trainer/checkpoint_maker.h"
#include "tools/trainer/config_file.h"

namespace mrcnn {
namespace {

class NoImages : public Dataset {
 public:
  const std::string& name() const override { return name_; }
  int64_t size() const override { return 0; }
  const std::vector<DatasetClass>& classes() const override { return classes_; }
  DatasetImage image(int64_t) const override { return {}; }
  std::vector<DatasetObject> objects(int64_t) const override { return {}; }
  std::string fingerprint() const override { return "abc"; }  // checkpoint_maker.h's

 private:
  const std::string name_ = "set";
  const std::vector<DatasetClass> classes_;
};

struct Folder {
  test::TemporaryDirectory scratch;
  CheckpointDirectory checkpoints{scratch.path()};
  TrainConfig config;
  std::vector<std::string> said;

  Folder() { config.out = scratch.path(); }
  void save(int64_t step) {
    TrainFacts facts = test::small_facts(step);
    facts.config = config_text(config);
    checkpoints.save(facts, test::small_state(step), 9);
  }
  void damage(int64_t step) {
    const std::string path = checkpoints.path_of(step);
    const std::string name = path.substr(path.rfind('/') + 1);
    std::string bytes = test::read_text(scratch / name);
    bytes.back() ^= 1;
    scratch.write(name, bytes);
  }
  std::optional<ResumePoint> find(bool resume) {
    return find_resume_point(config, resume, checkpoints,
                             [this](const std::string& line) { said.push_back(line); });
  }
};

TEST_CASE("An unused folder begins a run, asked to resume or not") {
  Folder folder;
  CHECK_FALSE(folder.find(false));
  CHECK(folder.said.empty());
  CHECK_FALSE(folder.find(true));
  CHECK(folder.said.size() == 1);  // somebody expected a run there
  folder.config.auto_resume = true;
  CHECK_FALSE(folder.find(false));
  CHECK(folder.said.size() == 1);
}

TEST_CASE("A used folder is gone on with only when asked to") {
  Folder folder;
  folder.save(10);
  folder.save(20);
  CHECK_THROWS_WITH_AS(folder.find(false), doctest::Contains("--resume"), UsageError);
  CHECK(folder.find(true)->facts.step == 20);
  folder.config.auto_resume = true;
  CHECK(folder.find(false)->facts.step == 20);
}

TEST_CASE("Damaged checkpoints are passed over and told") {
  Folder folder;
  folder.save(10);
  folder.save(20);
  folder.damage(20);
  CHECK(folder.find(true)->facts.step == 10);
  REQUIRE(folder.said.size() == 1);
  CHECK(folder.said[0].starts_with("passed over: " + folder.checkpoints.path_of(20)));
  folder.damage(10);
  try {
    folder.find(true);
    FAIL("went on from damaged files");
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::kModel);
  }
}

TEST_CASE("Neither the settings nor the data of a run may change") {
  Folder folder;
  folder.save(10);
  const std::optional<ResumePoint> point = folder.find(true);
  CHECK_NOTHROW(check_same_run(folder.config, *point, NoImages()));
  TrainConfig config = folder.config;
  config.loader_threads = 7;  // no weight depends on it
  config.max_time = 60;
  CHECK_NOTHROW(check_same_run(config, *point, NoImages()));
  config.lr = 0.5;
  config.batch = 3;
  CHECK_THROWS_WITH_AS(check_same_run(config, *point, NoImages()),
                       doctest::Contains("batch: 3, was 2; lr: 0.5, was 0.0025"), UsageError);
  ResumePoint other = *point;
  other.facts.data_fingerprint = "abd";
  CHECK_THROWS_WITH_AS(check_same_run(folder.config, other, NoImages()),
                       doctest::Contains("set is not the data that"), UsageError);
}

}  // namespace
}  // namespace mrcnn

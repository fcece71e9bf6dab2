#include "tools/trainer/config_file.h"

#include <doctest/doctest.h>

#include <set>

#include "core/error.h"
#include "models/zoo.h"
#include "tests/support/temporary_directory.h"
#include "tools/trainer/settings.h"

namespace mrcnn {
namespace {

std::string outcome(const std::string& text) {
  try {
    parse_config(text, "run.txt");
  } catch (const FileError& error) {
    return error.exit_code() == ExitCode::kUsage ? error.what() : "wrong exit code";
  }
  return "accepted";
}

std::string override_outcome(const std::vector<std::string>& words) {
  try {
    read_config({"", words});
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST_CASE("Rejects what is wrong in a file by line and word") {
  CHECK(outcome("lr = 0.1\n\nlrr = 0.2\n") ==
        "run.txt: line 3: unknown key 'lrr'; did you mean 'lr'?");
  CHECK(outcome("wieght_decay = 0.1") ==
        "run.txt: line 1: unknown key 'wieght_decay'; did you mean 'weight_decay'?");
  CHECK(outcome("something_else = 1") == "run.txt: line 1: unknown key 'something_else'");
  CHECK(outcome("LR = 1").find("unknown key 'LR'") != std::string::npos);
  CHECK(outcome("# first\nlr = 0.1\nseed = 2\nlr = 0.1") ==
        "run.txt: line 4: 'lr' is given twice, first in line 2");
  CHECK(outcome("lr 0.1") == "run.txt: line 1: 'lr 0.1' is not key = value");
  CHECK(outcome("= 0.1").find("unknown key ''") != std::string::npos);
  CHECK(outcome("lr = fast") == "run.txt: line 1: lr: 'fast' is not a number from 0 to 1000");
  CHECK(outcome("lr =") == "run.txt: line 1: lr: '' is not a number from 0 to 1000");
  CHECK(outcome("lr = 0.1x").find("'0.1x' is not") != std::string::npos);
  CHECK(outcome("lr = nan").find("'nan' is not") != std::string::npos);
  CHECK(outcome("clip_norm = inf").find("'inf' is not") != std::string::npos);
  CHECK(outcome("lr = -1").find("'-1' is not") != std::string::npos);
  CHECK(outcome("batch = 0").find("'0' is not a whole number from 1 to 4096") != std::string::npos);
  CHECK(outcome("batch = 2.0").find("'2.0' is not") != std::string::npos);
  CHECK(outcome("momentum = 1") ==
        "run.txt: line 1: momentum: '1' is not a number from 0 to below 1");
  CHECK(outcome("keep_checkpoints = 1").find("from 2 to") != std::string::npos);
  CHECK(outcome("seed = 18446744073709551616").find("is not") != std::string::npos);
  CHECK(outcome("lsj = yes") == "run.txt: line 1: lsj: 'yes' is not true or false");
  CHECK(outcome("schedule = cosin") ==
        "run.txt: line 1: schedule: 'cosin' is not constant, multistep or cosine; did you mean "
        "'cosine'?");
  CHECK(outcome("min_size = 640,,800").find("'' is not") != std::string::npos);
  CHECK(outcome("max_time = 90").find("needs a unit") != std::string::npos);
  CHECK(outcome("model = resnet").find("'resnet' is not") != std::string::npos);
  CHECK(outcome("preset = fast").find("'fast' is not") != std::string::npos);
  CHECK(outcome("data = \"a").find("does not end") != std::string::npos);
  CHECK(outcome("data = \"a\" b").find("'b' follows") != std::string::npos);
  CHECK(outcome("data = \"a\\n\"").find("backslash") != std::string::npos);
}

TEST_CASE("Rejects what is wrong on the command line by word") {
  CHECK(override_outcome({"lr=0.1", "epoch=3"}) ==
        "setting 'epoch=3': unknown key 'epoch'; did you mean 'epochs'?");
  CHECK(override_outcome({"lr"}) == "setting 'lr': is not key=value");
  CHECK(override_outcome({"lr=x"}) == "setting 'lr=x': lr: 'x' is not a number from 0 to 1000");
  CHECK(override_outcome({"lr=1", "lr=2"}) ==
        "setting 'lr=2': 'lr' is given twice, first in 'lr=1'");
  CHECK(override_outcome({"data=a\nb"}).find("line break") != std::string::npos);
  CHECK_THROWS_AS(read_config({"/absent/run.txt", {}}), FileError);
}

TEST_CASE("Reads comments, spaces, quotes and every type") {
  const TrainConfig config = parse_config(
      "# a run\r\n"
      "  lr=0.02 # of sixteen\n"
      "data = \"/photos/set #1\"  # quoted\n"
      "out = /runs/#7\n"
      "init = \"say \\\"hello\\\" \\\\\"\n"
      "\t\n"
      "min_size = 640, 672 ,704\n"
      "milestones = 16,22.5\n"
      "schedule = cosine\n"
      "bad_images = fail\n"
      "lsj = true\n"
      "seed = 18446744073709551615\n"
      "max_time = 1h30m",
      "run.txt");
  CHECK(config.lr == 0.02);
  CHECK(config.data == "/photos/set #1");
  CHECK(config.out == "/runs/#7");
  CHECK(config.init == "say \"hello\" \\");
  CHECK(config.min_size == std::vector<int64_t>{640, 672, 704});
  CHECK(config.milestones == std::vector<double>{16, 22.5});
  CHECK(config.schedule == LrDecay::kCosine);
  CHECK(config.bad_images == BadImages::kFail);
  CHECK(config.lsj);
  CHECK(config.seed == 18446744073709551615U);
  CHECK(config.max_time == 5400);
}

TEST_CASE("Later layers win: defaults, preset, file, command line") {
  const test::TemporaryDirectory folder;
  const std::string file = folder.write("run.txt", "batch = 4\nlr = 0.5\npreset = original\n");
  const TrainConfig config = read_config({file, {"lr=0.25"}});
  CHECK(config.preset == "original");
  CHECK(config.model == "maskrcnn_resnet50_c5");
  CHECK(config.flip == 0);        // of the preset
  CHECK(config.batch == 4);       // of the file, though the preset comes after it
  CHECK(config.lr == 0.25);       // of the command line
  CHECK(config.momentum == 0.9);  // a default
  CHECK(read_config({file, {"preset=torchvision_v1"}}).epochs == 26);
}

TEST_CASE("What is written reads back, whatever the values are") {
  const test::TemporaryDirectory folder;
  TrainConfig config = read_config({"", {"preset=torchvision_v2"}});
  config.data = " leading # and \"quotes\" \\";
  config.out = "\"";
  config.train_split = "#";
  config.milestones = {};
  config.lr = 0.1 + 0.2;
  config.max_time = 3661.5;
  config.seed = 1ULL << 63;
  const std::string path = folder / "config.txt";
  write_config(path, config);
  const TrainConfig back = read_config({path, {}});
  CHECK(config_text(back) == config_text(config));
  CHECK(back.data == config.data);
  CHECK(back.out == config.out);
  CHECK(back.lr == config.lr);
  for (const Setting& setting : settings()) {
    INFO(setting.name);
    CHECK(setting.get(back) == setting.get(config));
    CHECK(config_text(config).find(setting.name + " = ") != std::string::npos);
  }
}

TEST_CASE("The hash tells what the weights depend on") {
  TrainConfig config;
  const std::string hash = config_hash(config);
  CHECK(hash.size() == 64);
  config.log_every = 7;
  config.out = "/elsewhere";
  config.loader_threads = 5;
  CHECK(config_hash(config) == hash);
  CHECK(changed_settings({}, config).empty());
  config.lr = 0.5;
  CHECK(config_hash(config) != hash);
  CHECK(changed_settings({}, config) == std::vector<std::string>{"lr: 0.5, was 0.0025"});
}

TEST_CASE("Settings that contradict each other are refused") {
  const auto check = [](const std::vector<std::string>& words) -> std::string {
    std::vector<std::string> all = {"data=d", "out=o"};
    all.insert(all.end(), words.begin(), words.end());
    try {
      check_config(read_config({"", all}));
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(check({}) == "accepted");
  CHECK_THROWS_AS(check_config({}), UsageError);
  CHECK(check({"min_size="}).find("at least one") != std::string::npos);
  CHECK(check({"min_size=1400"}).find("larger than max_size") != std::string::npos);
  CHECK(check({"milestones=9,8"}).find("ascending") != std::string::npos);
  CHECK(check({"milestones="}).find("needs milestones") != std::string::npos);
  CHECK(check({"device=cpu", "precision=bf16"}).find("needs a GPU") != std::string::npos);
}

TEST_CASE("Every preset and the table itself are sound") {
  std::set<std::string> names;
  for (const Setting& setting : settings()) {
    INFO(setting.name);
    CHECK(names.insert(setting.name).second);
    CHECK_FALSE(setting.help.empty());
    TrainConfig config;
    const std::string value = setting.get(config);
    setting.set(config, value);  // a default is a legal value
    CHECK(setting.get(config) == value);
    CHECK(settings_help().find(setting.name) != std::string::npos);
  }
  for (const Preset& preset : presets()) {
    const TrainConfig config = read_config({"", {"preset=" + preset.name, "data=d", "out=o"}});
    check_config(config);
    CHECK_NOTHROW(model_config(config.model));
  }
}

}  // namespace
}  // namespace mrcnn

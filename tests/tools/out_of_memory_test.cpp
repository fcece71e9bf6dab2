// Memory that runs out at any allocation, once or for good, in what reads weights and settings and
// in a step of training: it ends with an error that says so, and nothing leaks.
#include <doctest/doctest.h>

#include <string>

#include "core/error.h"
#include "core/io/safetensors.h"
#include "core/parallel.h"
#include "models/seeded_model.h"
#include "tests/support/failing_memory.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/trainer/checkpoint_maker.h"
#include "tests/tools/trainer/small_model.h"
#include "tools/trainer/config_file.h"
#include "tools/trainer/step.h"
#include "tools/weights.h"

namespace mrcnn {
namespace {

const std::string kGolden = MRCNN_TEST_DATA "/golden/";

TEST_CASE("Weight files") {
  for (const char* name :
       {"checkpoint_nested_zip.pth", "state_dict_zip.pth", "state_dict_legacy.pth"}) {
    const std::string path = kGolden + "pth/" + name;
    test::check_each_allocation(name, [&] { read_weights(path); });
  }
  const test::TemporaryDirectory folder;
  write_checkpoint(folder / "a", facts_to_metadata(test::small_facts(1)), test::small_state(1));
  test::check_each_allocation("safetensors", [path = folder / "a"] { read_safetensors(path); });
  test::check_each_allocation("checkpoint", [path = folder / "a"] { read_checkpoint(path); });
}

TEST_CASE("Settings") {
  test::check_each_allocation("settings", [] {
    read_config({.file = "", .overrides = {"lr=0.01", "data=somewhere", "min_size=64,96,128"}});
  });
}

TEST_CASE("A step of training") {
  set_num_threads(1);
  const TrainConfig config = test::small_train_config();
  TrainableMaskRcnn model(test::small_model_config(config));
  load_seeded(model.root(), 6);
  TrainingState state(model, config, {});
  const auto step = [&] {
    StepRunner runner(model, state, config);
    runner.add_batch(test::small_batch(0, 1), 0);
    runner.update(0, 0.0);
    runner.read();
  };
  test::check_each_allocation("step", step, 97);
}

}  // namespace
}  // namespace mrcnn

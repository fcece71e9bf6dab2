#include "tools/trainer/step_log.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <limits>

#include "core/error.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

using test::read_text;
using test::TemporaryDirectory;

void train(StepLog& log, int64_t step, double loss) {
  log.write({"train", step, static_cast<double>(step) / 10, {{"loss", loss}, {"lr", 0.5}}});
}

TEST_CASE("Writes each record twice") {
  const TemporaryDirectory folder;
  StepLog log(folder.path(), {"loss", "lr", "mask_ap"}, -1);
  train(log, 10, 1.25);
  log.write({"eval", 10, 1, {{"mask_ap", 0.5}, {"AP of \"cats\"", 0.25}}});
  train(log, 20, std::numeric_limits<double>::quiet_NaN());
  train(log, 30, -std::numeric_limits<double>::infinity());
  log.sync();
  CHECK(read_text(folder / "log.jsonl") ==
        R"({"kind":"train","step":10,"epoch":1,"loss":1.25,"lr":0.5})"
        "\n"
        R"({"kind":"eval","step":10,"epoch":1,"mask_ap":0.5,"AP of \"cats\"":0.25})"
        "\n"
        R"({"kind":"train","step":20,"epoch":2,"loss":null,"lr":0.5})"
        "\n"
        R"({"kind":"train","step":30,"epoch":3,"loss":null,"lr":0.5})"
        "\n");
  CHECK(read_text(folder / "log.csv") ==
        "step,epoch,kind,loss,lr,mask_ap\n"
        "10,1,train,1.25,0.5,\n"
        "10,1,eval,,,0.5\n"
        "20,2,train,nan,0.5,\n"
        "30,3,train,-inf,0.5,\n");
}

TEST_CASE("A resumed run goes on after its checkpoint, and no step appears twice") {
  const TemporaryDirectory folder;
  std::string uninterrupted_json;
  std::string uninterrupted_csv;
  {
    StepLog log(folder.path(), {"loss", "lr"}, -1);
    for (int64_t step = 10; step <= 50; step += 10)
      train(log, step, 1.0 / static_cast<double>(step));
    uninterrupted_json = read_text(folder / "log.jsonl");
    uninterrupted_csv = read_text(folder / "log.csv");
  }
  // Killed in the middle of a line.
  folder.write("log.jsonl", uninterrupted_json + "{\"kind\":\"train\",\"step\":60,\"ep");
  folder.write("log.csv", uninterrupted_csv + "60,6,tra");
  StepLog log(folder.path(), {"loss", "lr"}, 30);
  CHECK(log.cut().kept == 3);
  CHECK(log.cut().dropped == 3);
  train(log, 40, 1.0 / 40);
  train(log, 50, 1.0 / 50);
  CHECK(read_text(folder / "log.jsonl") == uninterrupted_json);
  CHECK(read_text(folder / "log.csv") == uninterrupted_csv);
}

TEST_CASE("A new run starts its logs anew, a whole log is left alone") {
  const TemporaryDirectory folder;
  {
    StepLog log(folder.path(), {"loss", "lr"}, -1);
    train(log, 0, 1);
    train(log, 10, 1);
  }
  const std::string json = read_text(folder / "log.jsonl");
  const auto written = std::filesystem::last_write_time(folder / "log.csv");
  { const StepLog log(folder.path(), {"loss", "lr"}, 10); }
  CHECK(read_text(folder / "log.jsonl") == json);
  CHECK(std::filesystem::last_write_time(folder / "log.csv") == written);
  { const StepLog log(folder.path(), {"loss", "lr"}, -1); }
  CHECK(read_text(folder / "log.jsonl").empty());
  CHECK(read_text(folder / "log.csv") == "step,epoch,kind,loss,lr\n");
}

TEST_CASE("Columns may change from run to run") {
  const TemporaryDirectory folder;
  folder.write("log.csv", "step,epoch,kind,old,loss\n10,1,train,7,0.5\n20,2,train,8,0.25\n");
  StepLog log(folder.path(), {"loss", "lr"}, 10);
  train(log, 20, 0.125);
  CHECK(read_text(folder / "log.csv") ==
        "step,epoch,kind,loss,lr,old\n10,1,train,0.5,,7\n20,2,train,0.125,0.5,\n");
}

TEST_CASE("Lines that cannot be read are dropped") {
  const TemporaryDirectory folder;
  const std::string json = folder.write(
      "log.jsonl", "{\"step\":1}\n\n{\"step\":\"2\"}\n[]\nnot json\n{\"step\":3}\n{\"step\":4}\n");
  const CutReport report = cut_json_lines(json, 3);
  CHECK(report.kept == 2);
  CHECK(report.dropped == 5);
  CHECK(read_text(json) == "{\"step\":1}\n{\"step\":3}\n");
  const std::string csv = folder.write("log.csv", "step,a\n1,2\nx,2\n2\n2,3,4\n3,4\n");
  std::vector<std::string> columns = {"step", "a"};
  CHECK(cut_csv(csv, 9, columns).dropped == 3);
  CHECK(read_text(csv) == "step,a\n1,2\n3,4\n");
  const std::string torn = folder.write("torn.csv", "step,a");
  CHECK(cut_csv(torn, 9, columns).dropped == 1);
  CHECK(read_text(torn).empty());
}

TEST_CASE("A log that cannot be written is a matter of resources") {
  try {
    const StepLog log("/absent", {}, -1);
    FAIL("opened");
  } catch (const FileError& error) {
    CHECK(error.exit_code() == ExitCode::kResources);
  }
  AppendFile full("/dev/full", AppendFile::Open::kAppend);
  CHECK_THROWS_WITH_AS(full.append("x"), doctest::Contains("cannot write"), FileError);
}

}  // namespace
}  // namespace mrcnn

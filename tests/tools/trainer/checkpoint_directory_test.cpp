#include "tools/trainer/checkpoint_directory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "core/io/safetensors.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/trainer/checkpoint_maker.h"

namespace mrcnn::test {
namespace {

std::vector<std::string> names(const TemporaryDirectory& folder) {
  std::vector<std::string> list;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    list.push_back(entry.path().filename().string());
  }
  std::sort(list.begin(), list.end());
  return list;
}

void flip(const std::string& path, size_t from_end) {
  std::string bytes = read_text(path);
  bytes[bytes.size() - from_end] = static_cast<char>(bytes[bytes.size() - from_end] ^ 1);
  std::ofstream(path, std::ios::binary) << bytes;
}

SavedCheckpoint save(CheckpointDirectory& directory, int64_t step, int64_t best = 0,
                     int64_t keep = 2) {
  TrainFacts facts = small_facts(step);
  facts.best_step = best;
  return directory.save(facts, small_state(step), keep);
}

TEST_CASE("Names carry the step") {
  CHECK(checkpoint_name(12000) == "checkpoint-000012000.safetensors");
  CHECK(checkpoint_step("checkpoint-000012000.safetensors") == 12000);
  CHECK(checkpoint_step(checkpoint_name(12345678901)) == 12345678901);
  for (const char* name :
       {"checkpoint-12000.safetensors", "checkpoint-00000000x.safetensors",
        "checkpoint-.safetensors", "checkpoint.safetensors", "checkpoint--00000001.safetensors",
        "checkpoint-000012000.safetensors.bak", ".checkpoint-000012000.safetensors.tmp.1.0",
        "checkpoint-0000012000.safetensors", "checkpoint-"}) {
    INFO(name);
    CHECK_FALSE(checkpoint_step(name));
  }
}

TEST_CASE("A directory without checkpoints has nothing to resume from") {
  const TemporaryDirectory folder;
  CheckpointDirectory directory(folder.path());
  CHECK_FALSE(directory.find_newest().found);
  CHECK(CheckpointDirectory(folder / "absent").steps().empty());
}

TEST_CASE("The newest two and the best stay, what is not a checkpoint too") {
  const TemporaryDirectory folder;
  CheckpointDirectory directory(folder.path());
  folder.write("notes.txt", "mine");
  folder.write("checkpoint-000000001.safetensors", "somebody's, not a checkpoint of ours");
  CHECK(save(directory, 10).removed.empty());
  CHECK(save(directory, 20, 10).removed.empty());
  CHECK(save(directory, 30, 10).removed.empty());
  CHECK(save(directory, 40, 10).removed ==
        std::vector<std::string>{"checkpoint-000000020.safetensors"});
  CHECK(names(folder) == std::vector<std::string>{"checkpoint-000000001.safetensors",
                                                  "checkpoint-000000010.safetensors",
                                                  "checkpoint-000000030.safetensors",
                                                  "checkpoint-000000040.safetensors", "notes.txt"});
  save(directory, 50, 50, 1);  // fewer than two are never kept
  CHECK(directory.steps() == std::vector<int64_t>{1, 40, 50});
  save(directory, 60, 60, 3);
  CHECK(directory.steps() == std::vector<int64_t>{1, 40, 50, 60});
}

TEST_CASE("Resuming takes the newest that verifies and names the others") {
  const TemporaryDirectory folder;
  CheckpointDirectory directory(folder.path());
  for (const int64_t step : {10, 20, 30, 40}) save(directory, step, 0, 10);
  flip(directory.path_of(40), 3);
  std::filesystem::resize_file(directory.path_of(30), 100);
  CheckpointDirectory again(folder.path());
  const ResumeSearch search = again.find_newest();
  REQUIRE(search.found);
  CHECK(search.found->facts.step == 20);
  CHECK(search.found->archive.find("head.bias") != nullptr);
  REQUIRE(search.damaged.size() == 2);
  CHECK(search.damaged[0].path == directory.path_of(40));
  CHECK(search.damaged[0].problem.find("is damaged") != std::string::npos);
  CHECK(search.damaged[1].problem.find("incomplete") != std::string::npos);
  // Damaged ones do not count as kept: 20 and 25 are the two that can be trusted.
  save(again, 25, 0, 2);
  CHECK(again.steps() == std::vector<int64_t>{20, 25, 30, 40});
  save(again, 30, 0, 2);  // the same step again replaces the damaged one
  save(again, 45, 0, 2);
  CHECK(again.steps() == std::vector<int64_t>{30, 40, 45});
  CHECK(CheckpointDirectory(folder.path()).find_newest().found->facts.step == 45);
}

TEST_CASE("A renamed checkpoint is not resumed from") {
  const TemporaryDirectory folder;
  CheckpointDirectory directory(folder.path());
  save(directory, 10);
  std::filesystem::rename(directory.path_of(10), directory.path_of(99));
  const ResumeSearch search = directory.find_newest();
  CHECK_FALSE(search.found);
  CHECK(search.damaged.at(0).problem.find("holds step 10") != std::string::npos);
}

TEST_CASE("Files that a killed run left are removed, and only those") {
  const TemporaryDirectory folder;
  CheckpointDirectory directory(folder.path());
  save(directory, 10);
  const std::string half = read_text(directory.path_of(10)).substr(0, 200);
  folder.write(".checkpoint-000000020.safetensors.tmp.4711.3", half);
  folder.write(".log.csv.tmp.4711.0", "step\n");
  const std::vector<std::string> kept = {".checkpoint-000000020.safetensors.tmp.x.3",
                                         ".lock",
                                         ".mine.tmp.1.2",
                                         ".photo.jpg.tmp.4711.0",
                                         "checkpoint-000000010.safetensors",
                                         "xlog.csv.tmp.4711.0"};
  for (const std::string& name : kept) {
    if (!name.starts_with("checkpoint")) folder.write(name, "x");
  }
  CHECK(directory.find_newest().found->facts.step == 10);  // they do not confuse
  CHECK(directory.remove_leftovers() == 2);
  CHECK(names(folder) == kept);
}

TEST_CASE("A newer version stops the search instead of being passed over") {
  const TemporaryDirectory folder;
  CheckpointDirectory directory(folder.path());
  save(directory, 10);
  TrainFacts facts = small_facts(20);
  write_checkpoint(directory.path_of(20), facts_to_metadata(facts), small_state(20));
  std::string bytes = read_text(directory.path_of(20));
  const std::string key = "\"train/version\":\"";
  bytes[bytes.find(key) + key.size()] = '2';
  const size_t prologue = bytes.rfind("  ") + 2;  // the header is padded with spaces
  const std::optional<HeaderSeal> seal = header_seal(std::string_view(bytes).substr(0, prologue));
  bytes.replace(seal->offset, seal->digest.size(), seal->digest);
  folder.write(checkpoint_name(20), bytes);
  CHECK_THROWS_AS(directory.find_newest(), CheckpointVersionError);
}

}  // namespace
}  // namespace mrcnn::test

// The power goes at any moment of a run that saves and removes checkpoints: in every state that the
// disk may then be in, the last checkpoint that was reported as saved, or a newer one, is resumed
// from, whole.
#include "tests/tools/trainer/power_loss.h"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>

#include "tests/support/temporary_directory.h"
#include "tests/tools/trainer/checkpoint_maker.h"
#include "tools/trainer/checkpoint_directory.h"

namespace mrcnn::test {
namespace {

// Five saves, of which two are kept.
FileEvents record_saves() {
  const TemporaryDirectory folder;
  CheckpointDirectory directory(folder.path());
  FileRecorder recorder(folder.path());
  for (const int64_t step : {10, 20, 30, 40, 50}) {
    directory.save(small_facts(step), small_state(step), 2);
    recorder.report(step);
  }
  return recorder.events();
}

bool holds_state_of(const ResumePoint& point) {
  const FileTensor* bias = point.archive.find("head.bias");
  const Tensor wanted = numbers(5, static_cast<float>(point.facts.step) + 1);
  return bias != nullptr && bias->bytes.size() == 5 * sizeof(float) &&
         std::memcmp(bias->bytes.data(), wanted.data<float>(), bias->bytes.size()) == 0;
}

struct Losses {
  int64_t states = 0;
  int64_t lost = 0;
};

Losses crash_everywhere(const FileEvents& events, uint64_t states_each) {
  Losses losses;
  for (size_t count = 0; count <= events.size(); ++count) {
    for (uint64_t number = 0; number < states_each; ++number) {
      const CrashState state = crash_after(events, count, count * states_each + number);
      const TemporaryDirectory folder;
      for (const CrashState::File& file : state.files) folder.write(file.name, file.bytes);
      CheckpointDirectory directory(folder.path());
      directory.remove_leftovers();
      const ResumeSearch search = directory.find_newest();
      const int64_t step = search.found ? search.found->facts.step : 0;
      ++losses.states;
      if (step < state.reported || (search.found && !holds_state_of(*search.found))) ++losses.lost;
    }
  }
  return losses;
}

FileEvents without(FileEvents events, FileEvent::Kind kind) {
  std::erase_if(events, [&](const FileEvent& event) { return event.kind == kind; });
  return events;
}

TEST_CASE("Whenever the power goes, no checkpoint that was reported as saved is lost") {
  const FileEvents events = record_saves();
  const Losses losses = crash_everywhere(events, 50);
  MESSAGE(losses.states, " states after ", events.size(), " file operations");
  CHECK(losses.states >= 1000);
  CHECK(losses.lost == 0);
}

// What the test above would find.
TEST_CASE("Without its syncs the same run would lose checkpoints") {
  const FileEvents events = record_saves();
  CHECK(crash_everywhere(without(events, FileEvent::Kind::kSyncFile), 5).lost > 0);
  CHECK(crash_everywhere(without(events, FileEvent::Kind::kSyncFolder), 5).lost > 0);
}

// Removing an old checkpoint before the new one is safe: every run that keeps one would lose it.
TEST_CASE("Removing first would lose checkpoints") {
  FileEvents events = record_saves();
  const auto is_removal = [](const FileEvent& event) {
    return event.kind == FileEvent::Kind::kUnlink;
  };
  const auto removal = std::find_if(events.begin(), events.end(), is_removal);
  REQUIRE(removal != events.end());
  // The newest two at the time go, before the third is written.
  FileEvents reordered;
  for (const FileEvent& event : events) {
    if (event.kind == FileEvent::Kind::kReported && event.step == 20) {
      reordered.push_back(event);
      for (const int64_t step : {10, 20}) {
        reordered.push_back({.kind = FileEvent::Kind::kUnlink, .name = checkpoint_name(step)});
      }
    } else if (!is_removal(event)) {
      reordered.push_back(event);
    }
  }
  CHECK(crash_everywhere(reordered, 5).lost > 0);
}

}  // namespace
}  // namespace mrcnn::test

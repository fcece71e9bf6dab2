// The checkpoints of a run: at any instant the newest one that was reported as saved is there,
// complete, whatever ends the program. There is no pointer file: names tell the steps, and resuming
// takes the newest that verifies.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/io/tensor_file.h"
#include "tools/trainer/checkpoint_file.h"
#include "tools/trainer/train_facts.h"

namespace mrcnn {

struct DamagedCheckpoint {
  std::string path;
  std::string problem;  // the whole message
};

struct ResumePoint {
  std::string path;
  TrainFacts facts;
  TensorArchive archive;  // checkpoint_file.h's tensors_under() takes it apart
};

struct ResumeSearch {
  std::optional<ResumePoint> found;
  std::vector<DamagedCheckpoint> damaged;  // newer ones that were passed over
};

struct SavedCheckpoint {
  std::string path;
  int64_t bytes = 0;
  std::vector<std::string> removed;      // names of older ones
  std::vector<std::string> not_removed;  // "name: reason"; the next save tries again
};

// For one trainer at a time: hold a RunLock.
class CheckpointDirectory {
 public:
  explicit CheckpointDirectory(std::string path) : path_(std::move(path)) {}

  // Steps of the files named like checkpoints, ascending. Empty if the directory does not exist.
  std::vector<int64_t> steps() const;
  std::string path_of(int64_t step) const;

  // Removes the temporary files that killed runs left here. Returns their number.
  int64_t remove_leftovers() const;

  // Reads the newest checkpoint that verifies. Throws CheckpointVersionError when one was written
  // by a newer version: passing it over would lose what it holds.
  ResumeSearch find_newest();

  // Writes the checkpoint of facts.step, reads it back, gives it its name, and only then removes
  // older ones, except the newest `keep` (at least 2) and the one of facts.best_step. Files that
  // this does not recognise as checkpoints stay. Throws as write_checkpoint does.
  SavedCheckpoint save(const TrainFacts& facts, const std::vector<StateTensor>& tensors,
                       int64_t keep);

 private:
  void remove_old(const TrainFacts& facts, int64_t keep, SavedCheckpoint& saved) const;

  std::string path_;
  std::set<int64_t> damaged_;  // steps whose files did not verify: neither counted nor removed
};

}  // namespace mrcnn

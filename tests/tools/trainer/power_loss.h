// What a disk may hold after the power went: a recorder of the file operations of one folder, and
// the states that they allow.
//
// Nothing is promised but what was synced. Of the data written to a file since its last fsync,
// every sector may be there, be zeros or be missing, and the file may be shorter; of the changes to
// the folder (files made, renamed, removed) since its last fsync, any may have happened and any
// not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fault.h"

namespace mrcnn::test {

struct FileEvent {
  enum class Kind { kCreate, kWrite, kSyncFile, kSyncFolder, kRename, kUnlink, kReported };
  Kind kind = Kind::kReported;
  std::string name = {};      // inside the folder
  std::string new_name = {};  // of a rename
  std::string bytes = {};
  size_t offset = 0;
  int64_t step = 0;  // kReported: the checkpoint that was said to be safe
};
using FileEvents = std::vector<FileEvent>;

// Writes down what the product does in `folder` while it lives; one at a time.
class FileRecorder {
 public:
  explicit FileRecorder(const std::string& folder);
  ~FileRecorder();
  FileRecorder(const FileRecorder&) = delete;
  FileRecorder& operator=(const FileRecorder&) = delete;

  void report(int64_t step);
  const FileEvents& events() const { return events_; }

 private:
  static Fault record(const FaultPlace& place);
  void add(const FaultPlace& place);
  std::string name_of(const std::string& path) const;

  std::string folder_;
  FileEvents events_;
};

struct CrashState {
  struct File {
    std::string name;
    std::string bytes;
  };
  std::vector<File> files;
  int64_t reported = 0;  // the last step that was said to be safe before the power went
};

// One state that the disk may be in when the power goes after the first `count` events. Different
// numbers give different states.
CrashState crash_after(const FileEvents& events, size_t count, uint64_t number);

}  // namespace mrcnn::test
